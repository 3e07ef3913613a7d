// The command line of `sidestream calls` and `sidestream drain`: words, options and help.
import { Command, InvalidArgumentError, Option } from 'commander';
import { strict } from '../answered.js';
import { configOption } from '../config-option.js';
import { readAddress } from '../control-plane.js';
import { type CallAction, type CallsOptions, callsAct, callsList, callsShow, callsWatch } from './calls.js';
import { drain } from './drain.js';
import { listEnded } from './ended-calls.js';
import { addRecordCommands, readCount, readTime, times } from './ended-calls-command.js';

type Flags = Omit<CallsOptions, 'json'> & { readonly json?: boolean };

interface ListFlags extends Flags {
  readonly tenant?: string;
  readonly ended?: boolean;
  readonly since?: Date;
  readonly limit?: number;
}

const exitCodes = 'Exit code: 0 done, 1 not possible or not known, 2 wrong configuration or command line.';
const found = `
Signalling instances are found by their leases in NATS, as sidestream.yaml names it; all of them are asked.`;

const actions: Readonly<Record<Exclude<CallAction, 'end'>, string>> = {
  'start-recording': 'record an answered call that has no recording now',
  pause: 'pause the recording: no packet goes to the recorder until it is resumed',
  resume: 'resume the recording',
  'stop-recording': 'end the recording; the call goes on',
};

/** @param done is given the exit code. */
export function callsCommand(done: (code: number) => void): Command {
  const calls = strict(new Command('calls'))
    .description('calls: list, show, watch, end, record; those that are over: list, show, export, report')
    .addHelpText('after', `${found}\nNumbers and names of parties are printed: they are personal data.`);
  add(calls, 'list', 'every live call, or those that are over')
    .option('-t, --tenant <name>', 'of this tenant only')
    .option('--ended', 'calls that are over, from their records in NATS, the newest first')
    .option('--since <time>', `with --ended: ${times}; else the last 24h`, readTime)
    .option('--limit <count>', 'with --ended: the newest of them; else 50', readCount)
    .addHelpText(
      'after',
      `\n${exitCodes} Here 1 also when an instance did not answer; what the others said is printed.`,
    )
    .action(async (flags: ListFlags) => {
      const { ended, tenant, since = readTime('24h'), limit = 50 } = flags;
      const options = read(flags);
      done(ended ? await listEnded({ ...options, tenant, since, limit }) : await callsList(options, tenant ?? ''));
    });
  addRecordCommands(calls, done);
  add(calls, 'show', 'one call, live or over, with its recordings')
    .argument('<id>', 'of the call')
    .addHelpText('after', `\n${exitCodes}`)
    .action(async (id: string, flags: Flags) => done(await callsShow(read(flags), id)));
  add(calls, 'watch', 'print what happens to calls and recordings until SIGINT')
    .addHelpText(
      'after',
      `\nOne line each; with --json one JSON document each. Works without NATS by --address.\n${exitCodes}`,
    )
    .action(async (flags: Flags) => done(await callsWatch(read(flags))));
  add(calls, 'end', 'end a call on both sides')
    .argument('<id>', 'of the call')
    .option('-r, --reason <text>', 'told to both sides and kept in the record; at most 100 characters')
    .addHelpText('after', `\n${exitCodes}`)
    .action(async (id: string, flags: Flags & { reason?: string }) =>
      done(await callsAct(read(flags), 'end', id, flags.reason ?? '')),
    );
  for (const [action, description] of Object.entries(actions) as [CallAction, string][])
    add(calls, action, description)
      .argument('<id>', 'of the call')
      .addHelpText('after', `\n${exitCodes}`)
      .action(async (id: string, flags: Flags) => done(await callsAct(read(flags), action, id)));
  return calls;
}

/** @param done is given the exit code. */
export function drainCommand(done: (code: number) => void): Command {
  return options(strict(new Command('drain')))
    .description('keep new calls out of a signalling instance; its live calls go on')
    .option('-i, --instance <id>', 'this instance; may be left out where there is only one')
    .option('--all', 'every instance: no call comes in any more')
    .option(
      '--wait <seconds>',
      'until the last call is over, for so long at most; each end of a call is told',
      readSeconds,
    )
    .addOption(new Option('--undo', 'take calls again').conflicts('wait'))
    .addHelpText(
      'after',
      `\nNew calls and OPTIONS hear 503; live calls go on, whatever --wait says. \`sidestream calls list\` tells which they are. An instance that has ended is not waited for.\n${exitCodes} 1 also when an instance did not answer (the others drain), and when --wait was too short.`,
    )
    .action(async (flags: Flags & { instance?: string; all?: boolean; undo?: boolean; wait?: number }) =>
      done(await drain({ ...flags, ...read(flags), all: flags.all ?? false, undo: flags.undo ?? false })),
    );
}

function add(parent: Command, name: string, description: string): Command {
  return options(parent.command(name).description(description));
}

function options(command: Command): Command {
  return command
    .addOption(configOption())
    .option('-a, --address <host:port>', 'ask this instance only; NATS is not needed then', readAddress)
    .option('--json', 'print JSON');
}

function read(flags: Flags): CallsOptions {
  return { ...flags, json: flags.json ?? false };
}

function readSeconds(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('it must be a whole number of seconds, from 1.');
  return Number(text);
}
