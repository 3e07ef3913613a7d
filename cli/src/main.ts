#!/usr/bin/env node
// The command line: parsing and exit codes, nothing else.
import { behaviourNames } from '@sidestream/simulators';
import { type RecorderProfileName, recorderProfiles } from '@sidestream/siprec';
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

const profileOption = (what: string) =>
  new Option('-p, --profile <name>', what).choices(Object.keys(recorderProfiles)).default('dynamics365');

program
  .command('lint')
  .description('check a SIPREC message or metadata document against RFC 7865 and RFC 7866')
  .argument(
    '<file>',
    'an INVITE, re-INVITE, UPDATE, BYE or 2xx to an INVITE as it goes on the wire, or rs-metadata XML; - for stdin',
  )
  .addOption(profileOption('what the recorder wants besides: its own profile, or rfc7866 for nothing more'))
  .option('--account <id>', 'the X-AccountId to expect')
  .option('--offer <file>', 'the INVITE that a 2xx answers, to judge the answer by its offer')
  .option('--json', 'print one JSON document: file, kind, profile, ok, errors, warnings, findings')
  // A wrong command line is no verdict on the file.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .addHelpText(
    'after',
    `
Prints each finding with its place, name, clause and, below, its cure: file:line:column: error name (clause) place: what is wrong.
SDES keys are never printed. The demo leaves messages to try it on: out/demo/<call>/invite.sip, bye.sip, metadata.xml.
Exit code: 0 without errors, 1 with, 2 when the file can't be read or the command line is wrong.`,
  )
  .action(
    async (file: string, options: { profile: RecorderProfileName; account?: string; offer?: string; json?: boolean }) =>
      exitWith(await lintCommand(file, { ...options, json: options.json ?? false })),
  );

program
  .command('recorder')
  .description('run a SIPREC recorder (SRS) that checks, decrypts and stores what it gets; for tests before going live')
  .option('-l, --listen <host:port>', 'where to listen for SIP over TLS', '127.0.0.1:5061')
  .requiredOption('--cert <file>', 'server certificate, PEM (with its chain)')
  .requiredOption('--key <file>', 'private key of the certificate, PEM')
  .requiredOption('--trust <file>', 'authorities whose client certificates are accepted, PEM')
  .addOption(profileOption('what clients are checked against'))
  .option('--account <id>', 'the X-AccountId to expect')
  .option('-o, --out <directory>', 'where recordings are left', 'out/recorder')
  .option('--behave <list>', `how to misbehave, e.g. reject=503,delay=100 (${behaviourNames.join(', ')})`)
  .action(async (options: RecorderFlags) => exitWith(await recorder(options)));

interface RecorderFlags {
  listen: string;
  cert: string;
  key: string;
  trust: string;
  profile: RecorderProfileName;
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
