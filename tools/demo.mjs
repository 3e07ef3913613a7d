// npm run demo: set-up, then `sidestream demo` with the same arguments. Stdout is the demo's alone.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './run.mjs';
import { setUp } from './setup.mjs';

const args = process.argv.slice(2);
if (!args.includes('--help')) setUp({ forTests: false });
const demo = spawnSync(process.execPath, [join(root, 'cli', 'dist', 'main.js'), 'demo', ...args], { stdio: 'inherit' });
process.exit(demo.status ?? 1);
