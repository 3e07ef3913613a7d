// The command line of `sidestream policy`: its words, options and help.
import { Command, InvalidArgumentError } from 'commander';
import { strict } from '../answered.js';
import { configOption } from '../config-option.js';
import { readAddress } from '../control-plane.js';
import { type PolicyCommandOptions, policyExplain, policyStatus, policySync, policyUsers } from './policy.js';

type Flags = Omit<PolicyCommandOptions, 'json'> & { readonly json?: boolean };

const exitCodes = 'Exit code: 0 answered, 1 nobody could answer, 2 wrong configuration or command line.';

/** @param done is given the exit code. */
export function policyCommand(done: (code: number) => void): Command {
  const policy = strict(new Command('policy'))
    .description('whom calls are recorded for: how the policies stand, whom they name, what they would decide')
    .addHelpText(
      'after',
      `
Asks policy-sync. Its address is found by its lease in NATS, as sidestream.yaml names it; the active instance is preferred;
while another one takes over it is asked again. Only tenants with policy.source provider have a policy there; explain asks
signalling for the others, of which it is enough that one instance answers.`,
    );
  add(policy, 'status', 'how each policy stands: revision, age, what went wrong')
    .addHelpText(
      'after',
      `
${exitCodes} Here 1 also stands for a tenant whose policy is missing or stale.`,
    )
    .action(async (flags: Flags) => done(await policyStatus(read(flags))));
  add(policy, 'users', 'the users whom a policy names, by id')
    .option('-n, --limit <number>', 'how many to show at most', readCount, 100)
    .addHelpText('after', `\n${exitCodes}`)
    .action(async (flags: Flags & { limit: number }) => done(await policyUsers(read(flags), flags.limit)));
  add(policy, 'explain', 'whether a call of this party would be recorded, and why')
    .argument('<number>', 'number or SIP address, as it would stand in a call: +4930901820, sip:ada@pbx.example')
    .option('--other <number>', 'the other party of the call')
    .addHelpText(
      'after',
      `
Decides as signalling does, with the tenant's recorders and its rule for stale policies; the number is taken for the called party.
${exitCodes}`,
    )
    .action(async (number: string, flags: Flags & { other?: string }) =>
      done(await policyExplain(read(flags), number, flags.other ?? '')),
    );
  add(policy, 'sync', 'ask the provider for the users now')
    .addHelpText('after', `\nAsks for the whole list, whatever was known before.\n${exitCodes}`)
    .action(async (flags: Flags) => done(await policySync(read(flags))));
  return policy;
}

function add(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .addOption(configOption())
    .option('-t, --tenant <name>', 'whose policy; may be left out where there is only one')
    .option('-a, --address <host:port>', 'ask this instance; NATS is not needed then', readAddress)
    .option('--json', 'print one JSON document');
}

function read(flags: Flags): PolicyCommandOptions {
  return { ...flags, json: flags.json ?? false };
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('must be a number from 1 to 9999999.');
  return Number(text);
}
