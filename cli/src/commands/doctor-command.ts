// The command line of `sidestream doctor`: its words, options and help.
import { Command, InvalidArgumentError } from 'commander';
import { strict } from '../answered.js';
import { configOption } from '../config-option.js';
import { type CheckName, checkNames } from '../doctor/check.js';
import { checks } from '../doctor/checks.js';
import { doctor } from './doctor.js';

interface Flags {
  readonly config: string;
  readonly only?: readonly CheckName[];
  readonly tenant?: string;
  readonly timeout: number;
  readonly json?: boolean;
}

/** @param done is given the exit code, and ends the process: a name that is still being looked up can't be given up. */
export function doctorCommand(done: (code: number) => void): Command {
  return strict(new Command('doctor'))
    .description('check what a deployment stands on, before and while it runs, and say what to do')
    .addOption(configOption().default('sidestream.yaml'))
    .option('--only <list>', 'some of the checks, separated by commas', readNames)
    .option('-t, --tenant <name>', 'recorders, trunks, provider and certificates of this tenant only')
    .option('--timeout <time>', 'for each question: 500ms, 5s', readTimeout, 5_000)
    .option('--json', 'print one JSON document: ok, config, checks: [{name, state, what, where, todo}]')
    .addHelpText(
      'after',
      `
Checks:
${checks.map(({ name, about }) => `  ${name.padEnd(13)}${about}`).join('\n')}

All run side by side; how far they are is told on stderr. A state is ok, warn (works, and somebody should look), fail, or skipped: it
can't be told, often because another check has failed. What is wrong is told once, by the check that it is a matter of.
Nothing is changed: nothing is made in NATS or registered, and no secret is printed. Listening ports are bound for a moment, recorders
and targets with keepalive get an OPTIONS, and rtpengine has a session of some milliseconds without media.
Exit code: 0 nothing failed, 1 something did, 2 wrong configuration (all problems are printed) or command line.`,
    )
    .action(async ({ config, only, tenant, timeout, json = false }: Flags) =>
      done(
        await doctor({
          config,
          json,
          timeoutMs: timeout,
          ...(only !== undefined && { only }),
          ...(tenant !== undefined && { tenant }),
        }),
      ),
    );
}

function readNames(text: string): CheckName[] {
  return text.split(',').map((word) => {
    const name = checkNames.find((one) => one === word.trim());
    if (name === undefined) throw new InvalidArgumentError(`there is no check '${word}': ${checkNames.join(', ')}.`);
    return name;
  });
}

function readTimeout(text: string): number {
  const [, count, unit] = /^(\d{1,6})(ms|s)$/.exec(text) ?? [];
  const ms = Number(count) * (unit === 's' ? 1_000 : 1);
  if (!(ms >= 100 && ms <= 60_000)) throw new InvalidArgumentError('it must be a time from 100ms to 60s.');
  return ms;
}
