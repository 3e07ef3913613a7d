// The passwords of trunks, by which they and we prove who is who; read with the configuration, by its reader.
import { type ConfigProblem, Secret, type SidestreamConfig } from '@sidestream/service';
import type { DigestHash } from '@sidestream/sip';
import type { TrunkLogin } from './domain/caller-proof.js';

/** With what we answer challenges of a trunk's targets. */
export interface TrunkCredentials {
  readonly username: string;
  readonly password: Secret;
  readonly realm?: string | undefined;
}

/** By trunk. */
export interface TrunkSecrets {
  readonly logins: ReadonlyMap<string, TrunkLogin>;
  readonly credentials: ReadonlyMap<string, TrunkCredentials>;
}

const usualHashes: readonly DigestHash[] = ['SHA-256', 'MD5'];

/**
 * Reads every password of the trunks.
 *
 * @param readSecret undefined for a file that can't be read or is empty
 * @param problems where files without a password are told
 */
export function readTrunkSecrets(
  { trunks }: Pick<SidestreamConfig, 'trunks'>,
  readSecret: (file: string) => string | undefined,
  problems: ConfigProblem[],
): TrunkSecrets {
  const password = (file: string, path: string): Secret => {
    const value = readSecret(file);
    if (value === undefined) problems.push({ path, message: 'no password: the file is empty or not readable' });
    return new Secret(value ?? '');
  };
  const logins = new Map<string, TrunkLogin>();
  const all = new Map<string, TrunkCredentials>();
  for (const [name, { digest, credentials }] of Object.entries(trunks)) {
    if (digest !== undefined) {
      const users = digest.users.map(({ username, passwordFile }, index): [string, Secret] => {
        return [username, password(passwordFile, `trunks.${name}.digest.users.${index}.passwordFile`)];
      });
      logins.set(name, { realm: digest.realm, hashes: digest.algorithms ?? usualHashes, users: new Map(users) });
    }
    if (credentials !== undefined) {
      const { username, passwordFile, realm } = credentials;
      all.set(name, { username, password: password(passwordFile, `trunks.${name}.credentials.passwordFile`), realm });
    }
  }
  return { logins, credentials: all };
}
