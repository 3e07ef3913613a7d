// What a policy may name a seller by, in the form in which it is stored and compared.
import { normaliseNumber } from './normalise-number.js';
import { type SipAddress, sellerIdentity } from './seller-identity.js';

/** A number or a number prefix is its digits as an integer, which is exact up to the 15 digits of E.164. */
export type PolicyKey =
  | { readonly kind: 'number' | 'prefix'; readonly digits: number }
  | { readonly kind: 'address' | 'wildcard'; readonly text: string };

/** From the most to the least specific: the order in which a lookup asks. */
export const keyKinds = ['number', 'address', 'prefix', 'wildcard'] as const satisfies readonly PolicyKey['kind'][];

/**
 * An address as a key: host first, so that `47*@pbx.example` is a prefix of all that it stands for. A host holds no `>`,
 * since nothing after the first one is read of a URI.
 */
export function addressText({ user, host }: SipAddress): string {
  return `${host}>${user}`;
}

/** `+4930901820` as it is stored; the number must be a normal form. */
export function numberDigits(number: string): number {
  return Number(number.slice(1));
}

/** The key of an international number or of a prefix such as `+4930*`; undefined when it is neither. */
export function numberKey(text: string): PolicyKey | undefined {
  const prefix = /^([^*]+)\*$/.exec(text.trim())?.[1];
  if (prefix === undefined) {
    const number = normaliseNumber(text);
    return number === undefined ? undefined : { kind: 'number', digits: numberDigits(number) };
  }
  // A country code of one digit is a prefix, too, though no number.
  const digits = /^\s*(?:\+|00)\s*([1-9])\s*$/.exec(prefix)?.[1] ?? normaliseNumber(prefix)?.slice(1);
  return digits === undefined ? undefined : { kind: 'prefix', digits: Number(digits) };
}

/** The key of `user@host`, or of `*@host` and `47*@host`; undefined when it is no SIP address. */
export function addressKey(text: string): PolicyKey | undefined {
  const { address } = sellerIdentity(text);
  if (address === undefined) return undefined;
  const { user, host } = address;
  if (host.includes('*')) return undefined;
  // A star elsewhere is a feature code such as *21, which is an address of its own.
  if (!/^[^*]*\*$/.test(user)) return { kind: 'address', text: addressText(address) };
  return { kind: 'wildcard', text: addressText({ user: user.slice(0, -1), host }) };
}

/** The key as people write it. */
export function keyText(key: PolicyKey): string {
  switch (key.kind) {
    case 'number':
      return `+${key.digits}`;
    case 'prefix':
      return `+${key.digits}*`;
    case 'address':
      return writtenAddress(key.text, '');
    case 'wildcard':
      return writtenAddress(key.text, '*');
    default:
      return unreachable(key);
  }
}

function writtenAddress(text: string, star: string): string {
  const end = text.indexOf('>');
  return `${text.slice(end + 1)}${star}@${text.slice(0, end)}`;
}

function unreachable(key: never): never {
  throw new TypeError(`unknown key ${JSON.stringify(key)}`);
}
