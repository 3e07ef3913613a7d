// The command line of `sidestream test-call`: options and help.
import { Command, InvalidArgumentError, Option } from 'commander';
import { strict } from '../answered.js';
import { testCall } from './test-call.js';

interface Flags {
  readonly from: string;
  readonly listen?: string;
  readonly answer: string;
  readonly recorderStatus?: string;
  readonly config?: string;
  readonly seconds: number;
  readonly maxLoss: number;
  readonly timeout: number;
  readonly json?: boolean;
}

/** @param done is given the exit code. */
export function testCallCommand(done: (code: number) => void): Command {
  return strict(new Command('test-call'))
    .description('place one call through a deployment, as carrier and as PBX, and prove that both voices were recorded')
    .argument('<uri>', 'whom to call and where: sip:number@host:port, over UDP; ;transport=tcp for TCP')
    .option('--from <number>', 'who calls', user, '+12025550123')
    .option('--listen <address>', 'our own address, by which the trunk knows the caller; else the one that leads there')
    .option(
      '--answer <udp:host:port>',
      'where the route ends: the called party; udp:port or tcp:port at our own address',
      'udp:5070',
    )
    .option(
      '--recorder-status <url>',
      'http://host:port of a `sidestream recorder --status`: its copy is compared',
      url,
    )
    .addOption(
      new Option(
        '-c, --config <file>',
        'sidestream.yaml: NATS is asked for the call record; for recorders of others',
      ).env('SIDESTREAM_CONFIG'),
    )
    .option('--seconds <n>', 'how long both speak', whole(1, 60), 5)
    .option('--max-loss <percent>', 'packets of a voice that may be lost', whole(0, 100), 0)
    .option('--timeout <seconds>', 'for everything', whole(10, 600), 60)
    .option('--json', 'print one JSON document: ok, options, call, voices, recording, record, faults')
    .addHelpText(
      'after',
      `
Asks with OPTIONS, then calls the number from a port of its own, takes the call at --answer, and both sides speak. So a trunk has our
address among its peers, the number's route leads to a trunk whose target is --answer, and its seller is one to record. Who heard
what is compared packet for packet; at a recorder simulator too, by fingerprints. Of another recorder the call record says what has
left for it. At least one of --recorder-status and --config is needed; the file that SIDESTREAM_CONFIG names is read where neither is
given. For example, as carrier.example towards a test number:

  sidestream test-call 'sip:+4930901820@sbc.example:5060' --answer udp:192.0.2.7:5070 -c sidestream.yaml

Exit code: 0 put through and recorded, 1 not (each fault is told), 2 wrong command line or configuration.`,
    )
    .action(async (uri: string, options: Flags, command: Command) => {
      const { timeout, listen, recorderStatus, json = false, ...flags } = options;
      // Images name a file, which needn't be there: the pods of `helm test` have none, and ask a recorder.
      const isUnasked = recorderStatus !== undefined && command.getOptionValueSource('config') === 'env';
      const config = isUnasked ? undefined : options.config;
      done(await testCall({ ...flags, uri, listen, recorderStatus, config, json, timeoutMs: timeout * 1_000 }));
    });
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,3}$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`it must be a whole number from ${least} to ${most}.`);
    return value;
  };
}

function user(text: string): string {
  if (!/^[\w+.-]{1,64}$/.test(text)) throw new InvalidArgumentError('it must be a number or the user part of a URI.');
  return text;
}

function url(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new InvalidArgumentError('it must be http://host:port.');
  return text;
}
