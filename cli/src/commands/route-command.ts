// `sidestream route …`: where a call would go, and why. Needs the configuration alone; no service has to run.
import { EmergencyNumbers, type Explanation, explainRoute, TrunkTable } from '@sidestream/routing';
import { readConfig, readsFile, SidestreamError } from '@sidestream/service';
import { Command, InvalidArgumentError } from 'commander';
import { failed, say, strict } from '../answered.js';
import { configOption } from '../config-option.js';

interface Flags {
  readonly config: string;
  readonly trunk: string;
  readonly called: string;
  readonly calling?: string;
  readonly header?: ReadonlyMap<string, string>;
  readonly json?: boolean;
}

/** @param done is given the exit code. */
export function routeCommand(done: (code: number) => void): Command {
  const route = strict(new Command('route')).description('where calls go');
  route
    .command('explain')
    .description(
      'where a call would go, step by step: what its numbers are, which routes take it, which targets are tried',
    )
    .addOption(configOption())
    .requiredOption('--trunk <name>', 'where the call comes from')
    .requiredOption('--called <number>', 'the number, as it is dialled; or a request URI such as urn:service:sos')
    .option('--calling <number>', 'the number of the caller')
    .option('--header <line>', "a header field of its INVITE, 'Name: value'; may be repeated", readHeader)
    .option('--json', 'print one JSON document: called, calling, steps, targets')
    .addHelpText(
      'after',
      `
Starts and asks nothing. Targets of one priority share the calls by weight; they are shown as they are configured, as if all were up.
Exit code: 0 the call has a target, 1 nothing takes it, 2 wrong configuration or command line.`,
    )
    .action((flags: Flags) => done(explain(flags)));
  return route;
}

function explain(flags: Flags): number {
  try {
    const explanation = explained(flags);
    if (flags.json) say(JSON.stringify(explanation, undefined, 2));
    else for (const step of explanation.steps) say(step);
    return explanation.targets.length > 0 ? 0 : 1;
  } catch (error) {
    return failed(error);
  }
}

function explained({
  config: file,
  trunk: name,
  called: wanted,
  calling = '',
  header: headers = new Map(),
}: Flags): Explanation {
  const config = readConfig(file, (path) => readsFile('cli', path));
  const table = new TrunkTable(config.trunks, new EmergencyNumbers(config.signalling.emergencyNumbers));
  const trunk = table.find(name);
  if (trunk === undefined) {
    const known = Object.keys(config.trunks).join(', ');
    throw new SidestreamError('bad-request', `no trunk '${name}' (there are: ${known})`);
  }
  const isUri = /^(sips?|urn):/i.test(wanted);
  const called = isUri ? (/^sips?:([^@;]*)@/i.exec(wanted)?.[1] ?? '') : wanted;
  const requestUri = isUri ? wanted : `sip:${wanted}@sidestream.invalid`;
  const header = (field: string) => headers.get(field.toLowerCase());
  return explainRoute(table, { trunk, requestUri, called, calling, header });
}

function readHeader(line: string, before: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const [, name, value] = /^([^\s:]+)\s*:\s*(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("it must be 'Name: value'.");
  return new Map([...before, [name.toLowerCase(), value]]);
}
