// Check `config`: what is configured and what somebody should look at. What is wrong ends the examination before it begins.
import { statSync } from 'node:fs';
import { type ConfigProblem, configWarnings, recordersOf, type SidestreamConfig } from '@sidestream/service';
import { recorderProfiles, resolveRecorder } from '@sidestream/siprec';
import { type Check, type Finding, ok, warn } from './check.js';
import { reasonOf } from './reason.js';

/** Keys of files that hold a secret. */
const secretKey = /^(keyFile|clientKeyFile|clientSecretFile|credentialsFile|passwordFile|edgeSecretFile|headersFile)$/;

export const configCheck: Check = {
  name: 'config',
  about: 'the file itself: warnings, files that hold secrets and who may read them',
  probes: ({ file, config, tenants, trunks }) => [
    {
      where: file,
      todo: 'correct the file; sidestream config check tells all that is wrong',
      run: () => {
        const warnings = configWarnings(config).map(({ path, message }) => warn(path, message, todoOf(path)));
        const modes = secretFiles(config).flatMap(({ path, file: secret }) => judgeMode(path, statSync(secret).mode));
        const count = `${tenants.length} ${tenants.length === 1 ? 'tenant' : 'tenants'}, ${trunks.length} ${trunks.length === 1 ? 'trunk' : 'trunks'}`;
        return [ok(file, `${count}; no problems`), ...warnings, ...modes];
      },
    },
  ],
};

/** Recorders that are neither a documented endpoint nor a usable URI, which signalling would tell at its start. */
export function recorderProblems({ regions, tenants }: SidestreamConfig): ConfigProblem[] {
  return Object.entries(tenants).flatMap(([name, tenant]) =>
    recordersOf(tenant, regions).flatMap(({ recorder }) => {
      try {
        resolveRecorder(recorder, recorderProfiles[tenant.recording.profile]);
        return [];
      } catch (error) {
        return [{ path: `tenants.${name}.recorders`, message: reasonOf(error) }];
      }
    }),
  );
}

/** What a configuration that can't be used is told as. */
export function problemFindings(file: string, problems: readonly ConfigProblem[]): Finding[] {
  return problems.map(({ path, message }) => ({
    state: 'fail',
    where: path === '' ? file : path,
    what: message,
    todo: 'correct it: nothing else was examined',
  }));
}

/** Who may read a file with a secret, by its mode. The group may: services and a drachtio-server beside them share one. */
export function judgeMode(path: string, mode: number): Finding[] {
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  if ((mode & 0o007) === 0) return [];
  return [warn(path, `every user of this machine can read the secret in it (mode ${octal})`, 'chmod o-rwx the file')];
}

function todoOf(path: string): string {
  return path.endsWith('.notice')
    ? 'say how the parties learn of it: awareness or contract'
    : 'see sidestream config check';
}

/** Files that hold secrets, with the paths of their keys. */
function secretFiles(value: unknown, path = ''): { path: string; file: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]: [string, unknown]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return typeof child === 'string' && secretKey.test(key) ? [{ path: here, file: child }] : secretFiles(child, here);
  });
}
