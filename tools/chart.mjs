// npm run chart: what of the chart is made from other sources: values.schema.json, from values.yaml and from the schema of
// sidestream.yaml, the table of values in its README, and the dashboards. `--check` writes nothing and fails where they are out of date.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isSeq, parseDocument } from 'yaml';
import { configJsonSchema } from '../packages/service/dist/index.js';
import { valuesSchema } from './chart-schema.mjs';
import { dashboards } from './dashboards.mjs';
import { root } from './run.mjs';

const chart = join(root, 'helm', 'sidestream');
const document = parseDocument(readFileSync(join(chart, 'values.yaml'), 'utf8'));
const rows = [...described(document.contents, '')];
const silent = rows.filter(({ comment }) => comment === '').map(({ path }) => path);
if (silent.length > 0) {
  console.error(`values.yaml: no word on ${silent.join(', ')}`);
  process.exit(1);
}

const schema = valuesSchema(
  document.toJS(),
  configJsonSchema(),
  new Map(rows.map(({ path, comment }) => [path, comment])),
);
const readme = readFileSync(join(chart, 'README.md'), 'utf8');
const [before, after] = [readme.split('<!-- values -->')[0], readme.split('<!-- end of values -->')[1]];
put('values.schema.json', `${JSON.stringify(schema, null, 2)}\n`);
put('README.md', `${before}<!-- values -->\n\n${table(rows)}\n<!-- end of values -->${after}`);
const boards = dashboards(join(root, 'deploy', 'dashboards'));
for (const [name, text] of boards) put(join('dashboards', name), text);
const unknown = readdirSync(join(chart, 'dashboards')).filter((name) => !boards.has(name));
if (unknown.length > 0) {
  console.error(`helm/sidestream/dashboards: nothing in deploy/dashboards makes ${unknown.join(', ')}`);
  process.exitCode = 1;
}

/** Every key that has a comment of its own, and those that should. What stands on one line is told by one comment. */
function* described(map, prefix) {
  for (const [index, { key, value }] of map.items.entries()) {
    const path = prefix === '' ? key.value : `${prefix}.${key.value}`;
    // The parser gives the first comment of a map to the map.
    const comment = (key.commentBefore ?? (index === 0 ? map.commentBefore : '') ?? '')
      .trim()
      .split('\n')
      .at(-1)
      .trim();
    const isBlock = isMap(value) && value.flow !== true;
    yield { path, comment, value: isBlock ? undefined : value };
    if (isBlock) yield* described(value, path);
  }
}

function table(all) {
  const lines = all
    .filter(({ value }) => value !== undefined)
    .map(({ path, comment, value }) =>
      [`\`${path}\``, code(value), comment].map((cell) => cell.replaceAll('|', '\\|')),
    );
  const cells = [['key', 'default', 'meaning'], ...lines];
  return [
    '| key | default | meaning |',
    '| --- | --- | --- |',
    ...cells.slice(1).map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n');
}

function code(value) {
  const plain = isMap(value) || isSeq(value) ? value.toJSON() : value.value;
  return `\`${JSON.stringify(plain)}\``;
}

function put(name, text) {
  const file = join(chart, name);
  if (!process.argv.includes('--check')) return writeFileSync(file, text);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  console.error(`helm/sidestream/${name} is out of date: npm run chart`);
  process.exitCode = 1;
}
