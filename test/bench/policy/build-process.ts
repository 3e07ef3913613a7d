// A process that builds the policies, as policy-sync's thread does, writes them to files and tells on stdout what it took.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { buildPolicy, parseIdentities } from '@sidestream/policy';
import type { Built } from './policy-bench.js';
import { identitiesFile, users } from './population.js';

const [count = '0', ...files] = process.argv.slice(2);
const size = Number(count);
const csv = identitiesFile(size);
const built = files.map((file, generation): Built => {
  const people = [...users(size, generation)];
  const before = performance.now();
  const identities = parseIdentities(csv, 'csv', { onError: 'refuse' });
  const { bytes, revision, problems, unmatched } = buildPolicy(people, identities);
  const buildMs = performance.now() - before;
  if (problems.count + unmatched > 0)
    throw new Error(`the policy has ${problems.count} problems, ${unmatched} unmatched`);
  writeFileSync(file, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { file, buildMs, pointer: { bytes: bytes.length, sha256, revision }, peakKb: process.resourceUsage().maxRSS };
});
process.stdout.write(JSON.stringify(built));
