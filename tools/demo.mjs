// npm run demo: set-up, then `sidestream demo` with the same arguments. Stdout is the demo's alone.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './run.mjs';
import { setUp } from './setup.mjs';

const args = process.argv.slice(2);
if (!args.includes('--help')) setUp({ forTests: false });
const demo = spawn(process.execPath, [join(root, 'cli', 'dist', 'main.js'), 'demo', ...args], { stdio: 'inherit' });
// Ctrl-C at a terminal reaches the demo, too: it ends what it has started, and this process waits for it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => demo.kill('SIGTERM'));
demo.on('close', (code) => process.exit(code ?? 1));
