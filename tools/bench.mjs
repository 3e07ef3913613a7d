// npm run bench: set-up, then the benchmark with the same arguments. Stdout is the benchmark's alone.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './run.mjs';
import { setUp } from './setup.mjs';

setUp({ forTests: true });
const args = process.argv.slice(2);
const bench = spawnSync(process.execPath, [join(root, 'test', 'dist', 'bench', 'main.js'), ...args], {
  stdio: 'inherit',
});
process.exit(bench.status ?? 1);
