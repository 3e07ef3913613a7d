// One way to run a command from the tools: from the repository's root, output shown, a failure ends the tool with its exit code.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a command and returns its stdout when `capture` is set; exits this process with the command's code on failure. */
export function run(command, args, { cwd = '.', capture = false, quiet = false, env = {} } = {}) {
  const result = spawnSync(command, args, {
    cwd: new URL(`../${cwd}/`, import.meta.url),
    // A tool's own stdout is for its result: what its commands print goes to stderr.
    stdio: ['ignore', capture ? 'pipe' : quiet ? 'ignore' : 2, 'inherit'],
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (result.error) {
    console.error(`${command}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) {
    console.error(`failed (${result.status ?? result.signal}): ${command} ${args.join(' ')}`);
    process.exit(result.status ?? 1);
  }
  return result.stdout;
}
