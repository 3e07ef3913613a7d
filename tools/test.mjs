// npm test: set-up, check, every test. Ends with one line `N passed, N failed, N skipped` and exits 0 only if none failed.
// `npm test -- PATTERN…` runs the projects whose names contain a pattern (sip, siprec, signalling, test …).
import { spawn } from 'node:child_process';
import { check } from './check.mjs';
import { root, run } from './run.mjs';
import { setUp } from './setup.mjs';

const patterns = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const started = Date.now();
if (process.argv.includes('--help')) {
  console.log('npm test [-- PROJECT…]   set-up, check and all tests, or those of the named projects');
  process.exit(0);
}
setUp({ forTests: true });
if (patterns.length === 0) check();

const projects = JSON.parse(
  run('npx', ['--no-install', 'nx', 'show', 'projects', '--with-target=test', '--json'], { capture: true }),
);
const chosen = projects.filter((name) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern)));
if (chosen.length === 0) {
  console.error(`no project matches ${patterns.join(', ')}; there are: ${projects.join(', ')}`);
  process.exit(1);
}
// The end-to-end tests are real-time media: they get the machine for themselves, after the others.
const endToEnd = '@sidestream/test';
const counts = { passed: 0, failed: 0, skipped: 0 };
let reports = 0;
let exitCode = 0;
const unit = chosen.filter((name) => name !== endToEnd);
if (unit.length > 0) await runProjects(unit, 2);
if (chosen.includes(endToEnd)) await runProjects([endToEnd], 1);
if (reports !== chosen.length) console.error(`${chosen.length} projects were tested, but only ${reports} reported`);
if ((exitCode !== 0 || reports !== chosen.length) && counts.failed === 0) counts.failed = 1;
console.log(`tests took ${((Date.now() - started) / 1000).toFixed(0)} s`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed > 0 ? 1 : 0);

/**
 * Runs projects' tests through nx and adds up what their runners counted. Nothing comes from nx's cache, which clones of
 * one machine share: a run is a run, and nx cuts the output of many cached results at a pipe.
 */
function runProjects(names, parallel) {
  return new Promise((resolve) => {
    const args = ['--no-install', 'nx', 'run-many', '-t', 'test', `--projects=${names.join(',')}`, '--skip-nx-cache'];
    const child = spawn('npx', [...args, '--output-style=static', `--parallel=${parallel}`], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, FORCE_COLOR: '0', NX_TUI: 'false' },
    });
    let rest = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text) => {
      process.stdout.write(text);
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) count(line);
    });
    child.on('close', (code) => {
      count(rest);
      if (code !== 0) exitCode = code ?? 1;
      resolve();
    });
  });
}

function count(line) {
  const match = /^\s*[ℹ#] (pass|fail|cancelled|skipped|todo) (\d+)$/.exec(line);
  if (!match) return;
  if (match[1] === 'pass') reports += 1;
  const kind = { pass: 'passed', fail: 'failed', cancelled: 'failed', skipped: 'skipped', todo: 'failed' }[match[1]];
  counts[kind] += Number(match[2]);
}
