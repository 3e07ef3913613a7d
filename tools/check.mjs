// npm run check: everything that needs no server. Generate, format, lint, types, boundaries; zero warnings.
import { checkBoundaries } from './boundaries.mjs';
import { run } from './run.mjs';
import { installNodePackages } from './setup.mjs';

export function check() {
  installNodePackages();
  run('npm', ['run', '--silent', 'generate']);
  run('npx', ['--no-install', 'biome', 'ci', '--error-on-warnings', '--colors=off', '.']);
  run('npx', ['--no-install', 'tsc', '-b']);
  checkBoundaries();
  console.error('check: passed');
}

if (process.argv[1] === new URL(import.meta.url).pathname) check();
