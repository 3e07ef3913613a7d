// name-addr and addr-spec with header parameters: From, To, Contact, Route, Record-Route, Refer-To … (RFC 3261 §20.10).
import { malformed } from '../sip-error.js';
import {
  endOfQuoted,
  formatParameters,
  type Parameters,
  parseParameters,
  quote,
  trimSpace,
  unquote,
} from './grammar.js';
import { isAbsoluteUri } from './uri.js';

/** One address with its header parameters (not those of the URI). */
export interface NameAddr {
  /** Without quotes and escapes. */
  readonly displayName?: string | undefined;
  /** As written; `*` for the wildcard Contact of a REGISTER. */
  readonly uri: string;
  readonly parameters: Parameters;
}

// A display name without quotes is a row of tokens; letters outside ASCII are let through, as phones do send them.
const unquotedName = /^[A-Za-z0-9\-.!%*_+`'~ \t\u0080-\uffff]*$/;

/** Reads one address. `field` names the header in the error. @throws SipError `malformed` */
export function parseNameAddr(text: string, field = 'address'): NameAddr {
  const value = trimSpace(text);
  if (value.startsWith('"')) {
    const end = endOfQuoted(value, 0);
    if (end < 0) throw malformed(`${field}: a quoted string does not end`);
    const open = value.indexOf('<', end);
    if (open < 0 || trimSpace(value.slice(end, open)) !== '')
      throw malformed(`${field}: no <URI> after the display name`);
    return bracketed(value, open, unquote(value.slice(0, end)), field);
  }
  const open = value.indexOf('<');
  const semicolon = value.indexOf(';');
  if (open >= 0 && (semicolon < 0 || open < semicolon)) {
    const name = trimSpace(value.slice(0, open));
    if (!unquotedName.test(name)) throw malformed(`${field}: a display name with special characters needs quotes`);
    return bracketed(value, open, name === '' ? undefined : name, field);
  }
  // Without angle brackets whatever follows the first ";" belongs to the header, and "?" or "," cannot occur
  // (RFC 3261 §20.10).
  const uri = trimSpace(semicolon < 0 ? value : value.slice(0, semicolon));
  // RFC 3261 §20.10: the wildcard stands for all contacts, and for nothing else.
  if (uri === '*' && semicolon < 0 && field === 'Contact') return { uri, parameters: new Map() };
  if (!isAbsoluteUri(uri) || /[?,]/.test(uri)) throw malformed(`${field}: bad URI`);
  return { uri, parameters: parseParameters(value, semicolon < 0 ? value.length : semicolon, field) };
}

function bracketed(value: string, open: number, displayName: string | undefined, field: string): NameAddr {
  const close = value.indexOf('>', open);
  if (close < 0) throw malformed(`${field}: "<" without ">"`);
  const uri = value.slice(open + 1, close);
  if (!isAbsoluteUri(uri)) throw malformed(`${field}: bad URI`);
  const parameters = parseParameters(value, close + 1, field);
  return displayName === undefined ? { uri, parameters } : { displayName, uri, parameters };
}

/** The address as text; the URI always stands in angle brackets. */
export function formatNameAddr(address: NameAddr): string {
  if (address.uri === '*') return '*';
  const name = address.displayName === undefined ? '' : `${quote(address.displayName)} `;
  return `${name}<${address.uri}>${formatParameters(address.parameters)}`;
}

/** The tag of a From or To (RFC 3261 §19.3). */
export function tagOf(address: NameAddr): string | undefined {
  return address.parameters.get('tag') ?? undefined;
}
