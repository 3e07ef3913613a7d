import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readParties } from '../domain/parties.js';
import { PolicyTable } from '../domain/policy-table.js';
import { testLog } from '../testing/test-log.js';
import { PolicyFiles } from './policy-file.js';

const folder = mkdtempSync(join(tmpdir(), 'sidestream-policy-'));
const opened: PolicyFiles[] = [];
// Following a file keeps no process alive.
const alive = setInterval(() => {}, 1_000);
after(() => {
  clearInterval(alive);
  for (const policies of opened) policies.close();
  rmSync(folder, { recursive: true, force: true });
});

const listed = (number: string) => `users: [{ id: s1, numbers: ["${number}"] }]`;
const callTo = (number: string) => ({
  side: 'customer' as const,
  parties: readParties({ requestUri: `sip:${number}@sbc`, header: () => undefined }),
  at: new Date(),
});

async function open(content: string) {
  const file = join(folder, `policy-${opened.length}.yaml`);
  writeFileSync(file, content);
  const listeners: (() => void)[] = [];
  const changed = () => new Promise<void>((resolve) => listeners.push(resolve));
  const tell = () => {
    for (const listener of listeners.splice(0)) listener();
  };
  const policies = new PolicyTable({ contoso: { recorders: ['eastus'], enabled: true } }, tell);
  const files = new PolicyFiles([{ tenant: 'contoso', file }], policies, testLog('error', tell).log);
  opened.push(files);
  await files.start();
  return { policies, file, changed };
}

test('a changed file is applied as a whole; a broken one leaves the last good policy', async () => {
  const { policies, file, changed } = await open(listed('+15550001'));
  assert.deepEqual(policies.decide('contoso', callTo('+15550001')).recorders, ['eastus']);
  assert.equal(policies.decide('contoso', callTo('+15550002')).reason, 'not-listed');
  let next = changed();
  writeFileSync(file, listed('+15550002'));
  await next;
  assert.equal(policies.decide('contoso', callTo('+15550002')).record, true);
  next = changed();
  writeFileSync(file, 'users: [{ id: ');
  await next;
  assert.equal(policies.decide('contoso', callTo('+15550002')).record, true);
  assert.deepEqual(policies.missing, []);
});

test('without any usable policy nobody is recorded and the tenant is named', async () => {
  const { policies } = await open('users: 7');
  assert.deepEqual(policies.missing, ['contoso']);
  assert.equal(policies.decide('contoso', callTo('+15550001')).reason, 'no-policy');
  assert.equal(policies.decide('unknown', callTo('+15550001')).record, false);
});

test('a large policy is read beside the calls: they hardly wait, and hear of it or of its problems all the same', async () => {
  const users = Array.from(
    { length: 20_000 },
    (_, index) => `  - { id: u${index}, numbers: ["+1555${100_000 + index}"] }`,
  );
  const large = ['users:', ...users, ''].join('\n');
  const { policies, file, changed } = await open(listed('+15550001'));
  let longestMs = 0;
  let before = performance.now();
  const ticking = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - before);
    before = performance.now();
  }, 5);
  const next = changed();
  writeFileSync(file, large);
  await next;
  clearInterval(ticking);
  assert.equal(policies.decide('contoso', callTo('+1555119999')).record, true);
  assert.ok(longestMs < 400, `the event loop stood still for ${longestMs} ms`);
  const broken = changed();
  writeFileSync(file, `${large}  - { id: u0, numbers: ["+15550001"] }\n`);
  await broken;
  assert.equal(policies.decide('contoso', callTo('+1555119999')).record, true);
  assert.equal(policies.decide('contoso', callTo('+15550001')).record, false);
});
