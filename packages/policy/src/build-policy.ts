// The policy of a tenant whose users the provider names: its users, with what names them from the provider's own fields and from the
// identities file. One long calculation without I/O: run it in a thread of its own when there are many users.
import type { Identities } from './identities.js';
import { addressKind, numberKind, shown } from './identities.js';
import { type CountryCode, directoryNumberKey } from './phone-number.js';
import { addressKey, type PolicyKey } from './policy-key.js';
import type { Seller } from './policy-snapshot.js';
import { ProblemList, type Problems } from './problem-list.js';
import { SnapshotEncoder } from './snapshot-encoder.js';

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
  const encoder = new SnapshotEncoder();
  const places = new Map<string, number>();
  const used = new Set<readonly PolicyKey[]>();
  const keyed: boolean[] = [];
  for (const user of users) {
    const { id } = user;
    if (id === '' || id.length > maxIdChars) {
      problems.add(shown(id), `an id has 1 to ${maxIdChars} characters`);
      continue;
    }
    let place = places.get(id);
    if (place === undefined) {
      place = encoder.addUser(described(user));
      places.set(id, place);
    } else {
      problems.add(shown(id), 'is named twice; both are taken together');
      encoder.replaceUser(place, firstOf(encoder.user(place) ?? user, described(user)));
    }
    const keys = ownKeys(user, options.defaultCountry, problems);
    const upn = user.upn?.toLowerCase() ?? '';
    const byId = identities?.entries.get(id.toLowerCase());
    const byUpn = upn === id.toLowerCase() ? undefined : identities?.entries.get(upn);
    for (const entry of [byId, byUpn]) {
      if (entry === undefined) continue;
      used.add(entry);
      for (const key of entry) keys.push(key);
    }
    for (const key of keys) encoder.addKey(place, key);
    keyed[place] = keyed[place] === true || keys.length > 0;
  }
  const { bytes, revision } = encoder.encode({
    onShared: (key, kept, other) =>
      problems.add(shown(other), `${key} belongs to ${shown(kept)} as well, who is shown`),
  });
  return {
    bytes,
    revision,
    users: encoder.size,
    unmatched: keyed.filter((is) => !is).length,
    unused: (identities?.entries.size ?? 0) - used.size,
    problems: problems.problems,
  };
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

function described({ id, name = '', upn = '' }: PolicyUser): Seller {
  const text = (value: string) => value.trim().slice(0, maxNameChars);
  return { id, ...(text(name) !== '' && { name: text(name) }), ...(text(upn) !== '' && { upn: text(upn) }) };
}

/** Of two descriptions of one user always the same, whichever came first. */
function firstOf(one: Seller, other: Seller): Seller {
  const text = ({ name = '', upn = '' }: Seller) => `${name}\0${upn}`;
  return text(other) < text(one) ? other : one;
}
