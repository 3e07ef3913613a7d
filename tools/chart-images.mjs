// node tools/chart-images.mjs --registry HOST --prefix OWNER/NAME --digests FOLDER VALUES: for a release, writes into the chart's
// values.yaml where our own images were pushed, and the digest of every image: one file for each in FOLDER, ours by the image's name,
// those of others by their key. Refused where one is missing. Comments stay.
// node tools/chart-images.mjs --others VALUES: prints key and name of each image that we do not build and whose digest is not written yet.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseDocument } from 'yaml';

const option = { type: 'string' };
const { values, positionals } = parseArgs({
  options: { registry: option, prefix: option, digests: option, others: { type: 'boolean' } },
  allowPositionals: true,
});
const { registry, prefix, digests, others } = values;
const [file] = positionals;
if (!file || (!others && !(registry && prefix && digests))) {
  console.error(
    'usage: chart-images.mjs --registry HOST --prefix OWNER/NAME --digests FOLDER VALUES\n       chart-images.mjs --others VALUES',
  );
  process.exit(2);
}
const document = parseDocument(readFileSync(file, 'utf8'));
const images = Object.entries(document.toJS().images).map(([key, image]) => ({
  key,
  ...image,
  ours: /^sidestream\/(.+)$/.exec(image.repository)?.[1],
}));
if (others) {
  for (const { key, repository, tag, digest, ours } of images)
    if (ours === undefined && digest === '') console.log(`${key} ${repository}:${tag}`);
  process.exit(0);
}

const missing = [];
for (const { key, digest: written, ours } of images) {
  const digest = (ours === undefined && written) || read(join(digests, ours ?? key));
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) missing.push(`no digest of images.${key}: '${digest}'`);
  if (ours !== undefined) document.setIn(['images', key, 'repository'], `${prefix}/${ours}`);
  document.setIn(['images', key, 'digest'], digest);
}
if (missing.length > 0) {
  console.error(missing.join('\n'));
  process.exit(1);
}
document.setIn(['imageRegistry'], registry);
writeFileSync(file, document.toString({ lineWidth: 0 }));

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}
