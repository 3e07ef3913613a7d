// node tools/chart-images.mjs --registry HOST --prefix OWNER/NAME --digests FOLDER VALUES: for a release, writes into the chart's
// values.yaml where our own images were pushed and their digests, one file for each in FOLDER. Comments stay.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseDocument } from 'yaml';

const option = { type: 'string' };
const { values, positionals } = parseArgs({
  options: { registry: option, prefix: option, digests: option },
  allowPositionals: true,
});
const { registry, prefix, digests } = values;
const [file] = positionals;
if (!registry || !prefix || !digests || !file) {
  console.error('usage: chart-images.mjs --registry HOST --prefix OWNER/NAME --digests FOLDER VALUES');
  process.exit(2);
}
const document = parseDocument(readFileSync(file, 'utf8'));
document.setIn(['imageRegistry'], registry);
for (const { key } of document.get('images').items) {
  const [, name] = /^sidestream\/(.+)$/.exec(document.getIn(['images', key.value, 'repository'])) ?? [];
  if (name === undefined) continue;
  const digest = readFileSync(join(digests, name), 'utf8').trim();
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`no digest of ${name}: '${digest}'`);
  document.setIn(['images', key.value, 'repository'], `${prefix}/${name}`);
  document.setIn(['images', key.value, 'digest'], digest);
}
writeFileSync(file, document.toString({ lineWidth: 0 }));
