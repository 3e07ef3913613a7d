// The policy of a tenant whose users the provider names: its users, with what names them from the provider's own fields and from the
// identities file. One long calculation without I/O: run it in a thread of its own when there are many users.
import type { Identities } from './identities.js';
import { addressKind, numberKind, shown } from './identities.js';
import { type CountryCode, directoryNumberKey } from './phone-number.js';
import { addressKey, type PolicyKey } from './policy-key.js';
import { ProblemList, type Problems } from './problem-list.js';
import { encodeSnapshot, type PolicyRule } from './snapshot-encoder.js';

/** A user whom the provider names. */
export interface PolicyUser {
  readonly id: string;
  readonly upn?: string;
  readonly name?: string;
  readonly numbers: readonly string[];
  readonly addresses: readonly string[];
}

export interface BuildOptions {
  /** Country of the provider's numbers that have no country code; without it they are problems. */
  readonly defaultCountry?: CountryCode;
}

export interface BuiltPolicy {
  /** What openSnapshot takes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the content: the same users give the same one, whatever their order. */
  readonly revision: string;
  readonly users: number;
  /** Users whom no call can match, because they have neither a number nor an address. */
  readonly unmatched: number;
  /** Entries of the identities file whose user the provider does not name. */
  readonly unused: number;
  /** What could not be used, and numbers that two users claim. Those of the identities file are its own. */
  readonly problems: Problems;
}

const maxIdChars = 256;
const maxNameChars = 256;

/**
 * Builds the policy. What cannot be used is left out and reported; it refuses nothing.
 * @throws PolicyError when it would be larger than a snapshot may be
 */
export function buildPolicy(
  users: Iterable<PolicyUser>,
  identities: Pick<Identities, 'entries'> | undefined,
  options: BuildOptions = {},
): BuiltPolicy {
  const problems = new ProblemList();
  const used = new Set<string>();
  const byId = new Map<string, PolicyRule & { keys: PolicyKey[] }>();
  for (const user of users) {
    const { id } = user;
    if (id === '' || id.length > maxIdChars) {
      problems.add(shown(id), `an id has 1 to ${maxIdChars} characters`);
      continue;
    }
    const keys = ownKeys(user, options.defaultCountry, problems);
    for (const alias of new Set([id.toLowerCase(), user.upn?.toLowerCase() ?? ''])) {
      const entry = identities?.entries.get(alias);
      if (entry === undefined) continue;
      used.add(alias);
      keys.push(...entry);
    }
    const before = byId.get(id);
    if (before === undefined) byId.set(id, { ...described(user), keys });
    else {
      problems.add(shown(id), 'is named twice; both are taken together');
      byId.set(id, { ...firstOf(before, described(user)), keys: [...before.keys, ...keys] });
    }
  }
  let unmatched = 0;
  for (const { keys } of byId.values()) if (keys.length === 0) unmatched += 1;
  const { bytes, revision } = encodeSnapshot(byId.values(), {
    onShared: (key, kept, other) =>
      problems.add(shown(other), `${key} belongs to ${shown(kept)} as well, who is shown`),
  });
  const unused = (identities?.entries.size ?? 0) - used.size;
  return { bytes, revision, users: byId.size, unmatched, unused, problems: problems.problems };
}

function ownKeys({ id, numbers, addresses }: PolicyUser, country: CountryCode | undefined, problems: ProblemList) {
  const keys: PolicyKey[] = [];
  const add = (text: string, key: PolicyKey | undefined, kind: string) => {
    // Patterns are the identities file's: a star in a directory is somebody's typing.
    if (key === undefined || key.kind === 'prefix' || key.kind === 'wildcard') {
      problems.add(shown(id), `${shown(text)} is not ${kind}`);
    } else keys.push(key);
  };
  for (const text of numbers) add(text, directoryNumberKey(text, country), numberKind(country));
  for (const text of addresses) add(text, addressKey(text), addressKind);
  return keys;
}

type Described = Pick<PolicyUser, 'id' | 'name' | 'upn'>;

function described({ id, name = '', upn = '' }: PolicyUser): Described {
  const text = (value: string) => value.trim().slice(0, maxNameChars);
  return { id, ...(text(name) !== '' && { name: text(name) }), ...(text(upn) !== '' && { upn: text(upn) }) };
}

/** Of two descriptions of one user always the same, whichever came first. */
function firstOf(one: Described, other: Described): Described {
  const text = ({ name = '', upn = '' }: Described) => `${name}\0${upn}`;
  return text(other) < text(one) ? other : one;
}
