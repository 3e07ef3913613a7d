/** One element of the users list. The API documents no fields, so that every plausible name is read, in any case. */
import { foldCase } from './fold-case.js';

export interface ProviderUser {
  /** The first present of the id fields; of a user without any, the UPN. */
  readonly id: string;
  readonly upn?: string;
  readonly name?: string;
  /** Telephone numbers as they were written, not normalised. */
  readonly numbers: readonly string[];
  /** SIP URIs. */
  readonly addresses: readonly string[];
  /** The element as it came. */
  readonly raw: unknown;
}

/** In order of preference, lower case. */
const idKeys = [
  ...['aadobjectid', 'azureactivedirectoryobjectid', 'objectid', 'oid'],
  ...['userid', 'systemuserid', 'id'],
];
const upnKeys = ['userprincipalname', 'upn', 'email', 'mail'];
const nameKeys = ['displayname', 'fullname', 'name'];
const reachable = /phone|mobile|number|sip|lineuri/i;
/** Numbers that nobody can be called by: a personnel number taken for an extension would record somebody else. */
const notReachable =
  /fax|employee|personnel|staff|badge|account|customer|version|row|serial|house|street|building|room/i;
const maxText = 1024;
const maxReachable = 64;

/** Reads one element; undefined when it names nobody. */
export function readUser(raw: unknown): ProviderUser | undefined {
  if (typeof raw === 'string') {
    const id = text(raw);
    return id === undefined ? undefined : { id, ...(id.includes('@') && { upn: id }), numbers: [], addresses: [], raw };
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined;
  const fields = foldCase(raw);
  const upn = firstText(fields, upnKeys);
  const id = firstText(fields, idKeys) ?? upn;
  if (id === undefined) return undefined;
  const name = firstText(fields, nameKeys);
  return { id, ...(upn && { upn }), ...(name && { name }), ...reachability(raw), raw };
}

function firstText(fields: ReadonlyMap<string, unknown>, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const found = text(fields.get(key));
    if (found !== undefined) return found;
  }
  return undefined;
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  const trimmed = typeof value === 'string' && value.length <= maxText ? value.trim() : '';
  return trimmed === '' ? undefined : trimmed;
}

function reachability(raw: object): { numbers: string[]; addresses: string[] } {
  const numbers = new Set<string>();
  const addresses = new Set<string>();
  for (const [key, value] of Object.entries(raw)) {
    if (!reachable.test(key) || notReachable.test(key)) continue;
    for (const one of texts(value)) {
      if (numbers.size + addresses.size >= maxReachable) break;
      const [number, address] = classify(one);
      if (number !== undefined) numbers.add(number);
      if (address !== undefined) addresses.add(address);
    }
  }
  return { numbers: [...numbers], addresses: [...addresses] };
}

/** The strings of a field: itself, its elements, or the strings in elements that are objects (`{type, number}`). */
function texts(value: unknown): string[] {
  const elements = Array.isArray(value) ? value : [value];
  return elements
    .flatMap((element) => (typeof element === 'object' && element !== null ? Object.values(element) : [element]))
    .map(text)
    .filter((one) => one !== undefined);
}

function classify(value: string): [number: string | undefined, address: string | undefined] {
  if (/^sips?:/i.test(value)) return [undefined, value];
  // RFC 3966: parameters such as ;ext=1 are no part of the number.
  if (/^tel:/i.test(value)) return classify(value.slice(4).split(';')[0] ?? '');
  if (/^[^\s@]+@[^\s@]+$/.test(value)) return [undefined, `sip:${value}`];
  return /^\+?[\d\s()./-]{2,40}$/.test(value) && /\d\D*\d/.test(value) ? [value, undefined] : [undefined, undefined];
}
