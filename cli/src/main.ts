#!/usr/bin/env node
// The command line: parsing and exit codes, nothing else.
import { behaviourNames } from '@sidestream/simulators';
import { recorderProfiles } from '@sidestream/siprec';
import { Command, Option } from 'commander';
import { demo } from './commands/demo.js';
import { lintCommand } from './commands/lint.js';
import { recorder } from './commands/recorder.js';
import { up } from './commands/up.js';

const program = new Command('sidestream')
  .description('An SBC that forks call media to conversation-intelligence recorders by SIPREC.')
  .version('0.1.0')
  .showHelpAfterError('(sidestream --help shows what there is)');

program
  .command('up')
  .description('run a deployment on this machine: SIP edge, media relay, signalling')
  .requiredOption('-c, --config <file>', 'sidestream.yaml')
  .addHelpText(
    'after',
    `
Stdout has one JSON line when something is missing and {"ready":true,"addresses":{…}} once all is there; logs are on stderr.
SIGTERM or SIGINT stop it cleanly. Exit code: 0 stopped as told, 1 failed, 2 wrong configuration (all problems are printed).`,
  )
  .action(async (options: { config: string }) => exitWith(await up(options.config)));

program
  .command('demo')
  .description('place three real calls, record two of them, and prove what the recorder got')
  .option('--json', 'print one JSON document on stdout instead of the ladder and the table')
  .option('-o, --out <directory>', 'where recordings and messages are left', 'out/demo')
  .option('--keep-logs', "show the services' logs on stderr")
  .addHelpText(
    'after',
    `
Starts nats-server, rtpengine, the SIP edge, the services, a recorder and two parties on free loopback ports; stops them all.
Exit code: 0 only if everything is proven.`,
  )
  .action(async (options: { json?: boolean; out: string; keepLogs?: boolean }) =>
    exitWith(await demo({ json: options.json ?? false, out: options.out, keepLogs: options.keepLogs ?? false })),
  );

program
  .command('recorder')
  .description('run a SIPREC recorder (SRS) that checks, decrypts and stores what it gets; for tests before going live')
  .option('-l, --listen <host:port>', 'where to listen for SIP over TLS', '127.0.0.1:5061')
  .requiredOption('--cert <file>', 'server certificate, PEM (with its chain)')
  .requiredOption('--key <file>', 'private key of the certificate, PEM')
  .requiredOption('--trust <file>', 'authorities whose client certificates are accepted, PEM')
  .option('--account <id>', 'the X-AccountId to expect')
  .option('-o, --out <directory>', 'where recordings are left', 'out/recorder')
  .option('--behave <list>', `how to misbehave, e.g. reject=503,delay=100 (${behaviourNames.join(', ')})`)
  .action(async (options: RecorderFlags) => exitWith(await recorder(options)));

program
  .command('lint')
  .description('check a SIPREC message or metadata document against RFC 7865, RFC 7866 and a recorder profile')
  .argument('<file>', 'an INVITE, re-INVITE, UPDATE or BYE as it goes on the wire, or rs-metadata XML; - reads stdin')
  .addOption(
    new Option('-p, --profile <name>', 'what the recorder wants')
      .choices(Object.keys(recorderProfiles))
      .default('dynamics365'),
  )
  .option('--account <id>', 'the account id to expect')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    `
Each finding names its place, clause and cure; keys are never shown. Line ends count: SIP has CRLF.
Exit code: 0 no error (there may be warnings), 1 an error, 2 the file can't be read.`,
  )
  .action(async (file: string, { json, ...options }: { profile: string; account?: string; json?: boolean }) =>
    exitWith(await lintCommand(file, { ...options, json: json ?? false })),
  );

interface RecorderFlags {
  listen: string;
  cert: string;
  key: string;
  trust: string;
  account?: string;
  out: string;
  behave?: string;
}

function exitWith(code: number): void {
  process.exitCode = code;
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`sidestream: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
