// The identities file: numbers and addresses of users whom the provider knows by object id or UPN only. CSV or JSON; every bad row
// is reported with its place.
import { identitiesFromCsv } from './identities-csv.js';
import { identitiesFromJson } from './identities-json.js';
import type { IdentityRow } from './identity-row.js';
import { type CountryCode, directoryNumberKey } from './phone-number.js';
import { PolicyError, type PolicyProblem } from './policy-error.js';
import { addressKey, type PolicyKey } from './policy-key.js';
import { ProblemList, type Problems } from './problem-list.js';

export interface IdentitiesOptions {
  /** `skip`: bad rows are left out; `refuse`: one bad row refuses the file. */
  readonly onError: 'skip' | 'refuse';
  /** Country of numbers without a country code; without it they are bad. */
  readonly defaultCountry?: CountryCode;
  /** What errors call the file. */
  readonly source?: string;
}

/** Plain data: it may go to another thread. */
export interface Identities {
  /** What names a user, by lower-case object id or UPN. */
  readonly entries: ReadonlyMap<string, readonly PolicyKey[]>;
  /** The rows that were left out. */
  readonly problems: Problems;
}

const maxChars = 256 * 1024 * 1024;

/**
 * Reads an identities file. A user may have several rows; a row with anything bad in it counts for nothing.
 * @throws PolicyError when the text is not of that format, and for any bad row when `onError` is `refuse`
 */
export function parseIdentities(text: string, format: 'csv' | 'json', options: IdentitiesOptions): Identities {
  const { onError, defaultCountry, source = 'identities' } = options;
  if (text.length > maxChars) {
    throw new PolicyError(source, [{ path: '', message: `more than ${maxChars} characters` }]);
  }
  const entries = new Map<string, PolicyKey[]>();
  const problems = new ProblemList();
  const rows = {
    row: (row: IdentityRow) => {
      const found = keysOf(row, defaultCountry);
      for (const { path, message } of found.problems) problems.add(path, message);
      if (found.problems.length > 0) return;
      const user = row.user.toLowerCase();
      const before = entries.get(user);
      if (before === undefined) entries.set(user, found.keys);
      else for (const key of found.keys) before.push(key);
    },
    problem: (path: string, message: string) => problems.add(path, message),
  };
  (format === 'csv' ? identitiesFromCsv : identitiesFromJson)(text, rows, source);
  if (onError === 'refuse') problems.throwIfAny(source);
  return { entries, problems: problems.problems };
}

function keysOf({ path, numbers, addresses }: IdentityRow, defaultCountry: CountryCode | undefined) {
  const keys: PolicyKey[] = [];
  const problems: PolicyProblem[] = [];
  const add = (text: string, key: PolicyKey | undefined, kind: string) => {
    if (key === undefined) problems.push({ path, message: `${shown(text)} is not ${kind}` });
    else keys.push(key);
  };
  for (const text of numbers) add(text, directoryNumberKey(text, defaultCountry), numberKind(defaultCountry));
  for (const text of addresses) add(text, addressKey(text), addressKind);
  if (numbers.length + addresses.length === 0) problems.push({ path, message: 'has neither numbers nor addresses' });
  return { keys, problems };
}

export const addressKind = 'a SIP address user@host';

/** What was expected of a number, for messages. */
export function numberKind(defaultCountry: CountryCode | undefined): string {
  return `a telephone number with + or 00${defaultCountry === undefined ? '' : `, or a whole national one of ${defaultCountry}`}`;
}

/** A value as a message shows it: quoted, and short whatever stands in the file. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
