// Runs the compiled tests of the project it is started in with node:test. Arguments: substrings of file names to choose
// some; none = all. The files are named explicitly because what a bare `node --test` finds differs between Node versions.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

function find(directory) {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, name))
    .filter((name) => name.endsWith('.test.js') && !name.includes('node_modules'))
    .sort();
}

const wanted = process.argv.slice(2);
const files = (existsSync('dist') ? find('dist') : []).filter(
  (f) => wanted.length === 0 || wanted.some((w) => f.includes(w)),
);
if (files.length === 0) {
  console.error(`no compiled tests in ${process.cwd()}/dist: run npm run build first`);
  process.exit(1);
}
const result = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-timeout=300000', '--test-reporter=spec', ...files],
  {
    stdio: 'inherit',
  },
);
process.exit(result.status ?? 1);
