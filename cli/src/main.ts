#!/usr/bin/env node
// The command line: parsing and exit codes, nothing else. A wrong command line ends with 2, whatever the command.
import { behaviourHelp, parseBehaviour, parseProviderFault, providerFaultNames } from '@sidestream/simulators';
import { type RecorderProfileName, recorderProfiles } from '@sidestream/siprec';
import { Command, InvalidArgumentError, Option } from 'commander';
import { failed, strict } from './answered.js';
import { callsCommand, drainCommand } from './commands/calls-command.js';
import { configCommand } from './commands/config-command.js';
import { demo } from './commands/demo.js';
import { doctorCommand } from './commands/doctor-command.js';
import { lintCommand } from './commands/lint.js';
import { edgeConfigCommand, mediaConfigCommand } from './commands/neighbour-config-commands.js';
import { options } from './commands/options.js';
import { policyCommand } from './commands/policy-command.js';
import { type ProviderCommandOptions, provider } from './commands/provider.js';
import { recorder } from './commands/recorder.js';
import { register } from './commands/register.js';
import { routeCommand } from './commands/route-command.js';
import { testCallCommand } from './commands/test-call-command.js';
import { up } from './commands/up.js';
import { wait } from './commands/wait.js';
import { configOption } from './config-option.js';
import { readAddress } from './control-plane.js';

// grpc-js names the address of its target as TLS server name, also where that is an IP address, which Node drops with a warning.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (!('code' in warning && warning.code === 'DEP0123')) process.stderr.write(`${warning.stack ?? String(warning)}\n`);
});

const program = strict(new Command('sidestream'))
  .description('An SBC that forks call media to conversation-intelligence recorders by SIPREC.')
  .version('0.1.0')
  .showHelpAfterError('(sidestream --help shows what there is)');

const exitCodes = 'Exit code: 0 stopped as told, 1 failed, 2 wrong command line.';

program
  .command('up')
  .description('run a deployment on this machine: SIP edge, media relay, signalling, registration, policy sync')
  .addOption(configOption())
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
  .option('--edge <folder>', 'of edge-config: use the drachtio-server that it was written for')
  .option('--stay', 'keep everything up after the calls, with pages to look at, until Ctrl-C')
  .option('--targets <file>', "write where a Prometheus finds the services' metrics, as file_sd_configs wants it")
  .addHelpText(
    'after',
    `
Starts nats-server, rtpengine, the SIP edge, the services, a recorder, a provider and two parties on free loopback ports; registers
the tenant, fetches the policy, places the calls; stops them all. With --stay the addresses of the pages are on stderr, and Ctrl-C ends it
with the same proof.
Exit code: 0 only if everything is proven.`,
  )
  .action(async ({ json = false, out, keepLogs = false, edge, stay = false, targets }: DemoFlags) =>
    exitWith(await demo({ json, out, keepLogs, edge, stay, targets })),
  );

program.addCommand(configCommand(exitWith));
program.addCommand(doctorCommand((code) => process.exit(code)));
program.addCommand(routeCommand(exitWith));
program.addCommand(policyCommand(exitWith));

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
  .option('-l, --listen <host:port>', 'where to listen for SIP over TLS', readAddress, '127.0.0.1:5061')
  .requiredOption('--cert <file>', 'server certificate, PEM (with its chain)')
  .requiredOption('--key <file>', 'private key of the certificate, PEM')
  .requiredOption('--trust <file>', 'authorities whose client certificates are accepted, PEM')
  .addOption(profileOption('what clients are checked against'))
  .option('--account <id>', 'the X-AccountId to expect')
  .option('-o, --out <directory>', 'where recordings are left', 'out/recorder')
  .option('--status <host:port>', 'where it tells over HTTP what it has got: /livez, /sessions', readAddress)
  .option('--behave <list>', 'how to misbehave, e.g. reject=486,delay=100 (see below)', checked(parseBehaviour))
  .addHelpText(
    'after',
    `
--status has no voice and no key: figures, and fingerprints of packets, for \`sidestream test-call\`.
Stdout has {"ready":true,"addresses":{"sip":…}} and then one JSON line for each session, finding, refused connection and end.
Misbehaviour, several separated by commas (MS milliseconds, S seconds, PT a payload type):
${behaviourHelp}
${exitCodes}`,
  )
  .action(async (options: RecorderFlags) => exitWith(await recorder(options)));

program
  .command('register')
  .description('register tenants with the provider of conversation intelligence, or show what would be sent')
  .addOption(configOption())
  .option('-t, --tenant <name>', 'only this tenant; else every one that has a provider')
  .option('--dry-run', 'print the request, and whether it is needed; send nothing')
  .option('--force', 'send it even though the provider has accepted the same already')
  .option('--address <host:port>', 'of a registration service, instead of the active one that NATS knows', readAddress)
  .option(
    '--json',
    'print one JSON list on stdout: tenant, needed, reason, url, body, warnings, errors, outcome, error',
  )
  .addHelpText(
    'after',
    `
The active registration service does the work; it also does it by itself whenever the configuration or a certificate changes.
--dry-run works without it: the request is then made here, from the files that the configuration names; whether the provider
has accepted the same already is not known in that case. Warnings do not keep a tenant from being registered, errors do.
What has to be done in Entra ID and Dynamics 365 before: services/registration/README.md.
Exit code: 0 registered, nothing to do, or shown; 1 failed or not possible; 2 wrong configuration or command line.`,
  )
  .action(async ({ config, tenant, dryRun, force, json, address }: RegisterFlags) =>
    exitWith(
      await register({
        config,
        dryRun: dryRun ?? false,
        force: force ?? false,
        json: json ?? false,
        ...(tenant !== undefined && { tenant }),
        ...(address !== undefined && { address }),
      }),
    ),
  );

interface DemoFlags {
  stay?: boolean;
  json?: boolean;
  out: string;
  keepLogs?: boolean;
  edge?: string;
  targets?: string;
}

interface RegisterFlags {
  config: string;
  tenant?: string;
  dryRun?: boolean;
  force?: boolean;
  json?: boolean;
  address?: string;
}

interface RecorderFlags {
  listen: string;
  cert: string;
  key: string;
  trust: string;
  profile: RecorderProfileName;
  account?: string;
  out: string;
  status?: string;
  behave?: string;
}

program
  .command('provider')
  .description('run Entra and the provider API (registration, users to record), simulated; for tests before going live')
  .option('-l, --listen <host:port>', 'where to listen for HTTPS', readAddress, '127.0.0.1:8443')
  .option('--public-host <name>', 'the host in its URLs, as the certificate has it; the address unless told')
  .requiredOption('--cert <file>', 'server certificate, PEM (with its chain)')
  .requiredOption('--key <file>', 'private key of the certificate, PEM')
  .option('--tenant <id>', 'the Entra tenant that there is', '5f0c8a3e-7a50-4c87-9d8e-3a0f4f0f7b11')
  .option('--client-id <id>', 'the app that the tenant knows', '1b6f9f60-9c70-4a6c-8f0a-0d4f9d6a2c22')
  .option('--secret-file <file>', "the app's client secret")
  .option('--client-cert <file>', "the app's certificate, PEM, whose RSA key signs client assertions")
  .option('--resource <id>', "the resource that tokens are for; the real API's app id unless told")
  .option('--users <file>', 'JSON: what the users call lists, an array or {"value":[…]}; nobody unless told')
  .option('--page-size <n>', 'users per page; all in one array unless told', positive)
  .option('--behave <list>', 'how to misbehave, e.g. status=503x2,slow=100 (see below)', checked(parseProviderFault))
  .addHelpText(
    'after',
    `
Stdout has {"ready":true,"addresses":{"authority":…,"apiBaseUrl":…}} and then one JSON line for each request, registration and
finding (what a client did wrong). Secrets and tokens are never printed. SIGHUP reads the users file again.
Misbehaviour: ${providerFaultNames.join(', ')}.
A value follows as =N (a status, seconds, milliseconds for slow); xN at the end limits it to the first N answers.
${exitCodes}`,
  )
  .action(async (options: ProviderCommandOptions) => exitWith(await provider(options)));

program.addCommand(callsCommand(exitWith));
program.addCommand(drainCommand(exitWith));

program
  .command('options')
  .description('ask a SIP server with OPTIONS whether it is there')
  .argument('<uri>', 'sip:host:port, over UDP; ;transport=tcp for TCP')
  .option('--accept <list>', 'statuses that are a success', statuses, [200])
  .option('--timeout <ms>', 'how long to wait for the answer', positive, 5_000)
  .addHelpText('after', '\nExit code: 0 an accepted answer, 1 another or none, 2 wrong command line.')
  .action(async (uri: string, { accept, timeout }: { accept: number[]; timeout: number }) =>
    exitWith(await options(uri, { accept, timeoutMs: timeout })),
  );

program.addCommand(testCallCommand(exitWith));

program
  .command('wait')
  .description('do nothing until SIGTERM: for a pod in which the other commands are run')
  .option('--port <n>', 'where GET /livez is answered, for probes', positive, 9096)
  .addHelpText('after', `\n${exitCodes}`)
  .action(async ({ port }: { port: number }) => exitWith(await wait(port)));

program.addCommand(edgeConfigCommand(exitWith));
program.addCommand(mediaConfigCommand(exitWith));

function list(text: string): string[] {
  return text.split(',').filter((item) => item !== '');
}

function statuses(text: string): number[] {
  return list(text).map(positive);
}

/** For an option that is read later, where a wrong one would be no wrong command line. */
function checked(parse: (text: string) => unknown): (text: string) => string {
  return (text) => {
    try {
      parse(text);
      return text;
    } catch (error) {
      throw new InvalidArgumentError(`${error instanceof Error ? error.message : String(error)}.`);
    }
  };
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('it must be a whole number from 1.');
  return Number(text);
}

function exitWith(code: number): void {
  process.exitCode = code;
}

try {
  await program.parseAsync();
} catch (error) {
  exitWith(failed(error));
}
