// Reads sidestream.yaml once, whole: every problem is reported at the same time, with the path of its key.
import { accessSync, constants, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { ConfigError, type ConfigProblem } from './config-error.js';
import { checkReferences } from './references.js';
import { configSchema, type SidestreamConfig } from './schema.js';

/**
 * Reads and checks a deployment's configuration.
 *
 * @param path the YAML (or JSON) file; files that it names are relative to it and are absolute in the result.
 * @param uses whether the file must be there that the key at this path names; by default all must.
 * @param reader what `{service}` stands for in files of the links between services: a service, or cli, a command.
 * @throws ConfigError with all problems: YAML, schema, references between keys, files that can't be read.
 */
export function readConfig(path: string, uses = (_path: string): boolean => true, reader = 'cli'): SidestreamConfig {
  const document = parseDocument(readText(path), { prettyErrors: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      path,
      document.errors.map((error) => ({ path: '', message: error.message.split('\n')[0] ?? error.message })),
    );
  }
  const { config, problems } = checkConfig(document.toJS(), dirname(resolve(path)), uses, reader);
  if (config === undefined || problems.length > 0) throw new ConfigError(path, problems);
  return config;
}

/** Checks a parsed document against the schema and, as far as that holds, against itself. */
export function checkConfig(
  document: unknown,
  baseDirectory: string,
  uses: (path: string) => boolean,
  reader: string,
): { config?: SidestreamConfig; problems: ConfigProblem[] } {
  const parsed = configSchema.safeParse(document);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'unknown key' }))
        : [{ path: issue.path.join('.'), message: issue.message }],
    );
    // References are checked as well where the shape allows it, so that one run shows all there is to mend.
    return { problems: [...problems, ...checkReferences(document)] };
  }
  const problems = checkReferences(document);
  const config = absoluteFiles(parsed.data, '', { base: baseDirectory, uses, reader, problems });
  return { config, problems };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(path, [{ path: '', message: `can't be read: ${(error as Error).message}` }]);
  }
}

interface FileCheck {
  readonly base: string;
  readonly uses: (path: string) => boolean;
  readonly reader: string;
  readonly problems: ConfigProblem[];
}

/** Services that share a file may have keys of their own there. */
const ofLinks = /^(nats|grpc)\./;

/** Makes every `…File`, policy `file` and `stateDirectory` absolute and checks that the files in use can be read. */
function absoluteFiles<T>(value: T, path: string, check: FileCheck): T {
  if (Array.isArray(value)) return value.map((item, index) => absoluteFiles(item, `${path}.${index}`, check)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, child]) => {
    const childPath = path ? `${path}.${key}` : key;
    if (typeof child === 'string' && key === 'stateDirectory') return [key, resolve(check.base, child)];
    if (typeof child !== 'string' || !/^file$|File$/.test(key)) return [key, absoluteFiles(child, childPath, check)];
    const own = ofLinks.test(childPath) ? child.replaceAll('{service}', check.reader) : child;
    const file = resolve(check.base, own);
    try {
      if (check.uses(childPath)) accessSync(file, constants.R_OK);
    } catch {
      check.problems.push({ path: childPath, message: `no readable file '${own}'` });
    }
    return [key, file];
  });
  return Object.fromEntries(entries) as T;
}
