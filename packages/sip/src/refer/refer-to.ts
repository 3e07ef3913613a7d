// Refer-To: whom a REFER asks to call, and what its request is to carry (RFC 3515 §2.1, RFC 3261 §19.1.5).
import { splitList } from '../message/grammar.js';
import { parseNameAddr } from '../message/name-addr.js';
import { formatUri, parseUri, type SipUri } from '../message/uri.js';
import { malformed } from '../sip-error.js';
import { formatReplaces, parseReplaces, type Replaces } from './replaces.js';

/** A target of a REFER. */
export interface ReferTarget {
  /** Without header fields. */
  readonly uri: SipUri;
  /** Of the request to send: INVITE where the URI names none. */
  readonly method: string;
  /** The dialog of the target that the new call takes the place of. */
  readonly replaces?: Replaces;
}

/** Reads the value of the header. @throws SipError `malformed`, also for more than one value (RFC 3515 §2.4.2) */
export function parseReferTo(value: string): ReferTarget {
  if (splitList(value).length !== 1) throw malformed('Refer-To: not exactly one');
  const { headers, ...uri } = parseUri(parseNameAddr(value, 'Refer-To').uri, 'Refer-To');
  const method = (uri.parameters.get('method') ?? 'INVITE').toUpperCase();
  const replaces = uriHeaders(headers ?? '').filter(({ name }) => name === 'replaces');
  if (replaces.length > 1) throw malformed('Refer-To: Replaces is given twice');
  const [only] = replaces;
  return only === undefined ? { uri, method } : { uri, method, replaces: parseReplaces(only.value) };
}

/** The value of the header; the method is the URI's own affair. */
export function formatReferTo({ uri, replaces }: Pick<ReferTarget, 'uri' | 'replaces'>): string {
  const headers = replaces === undefined ? undefined : `Replaces=${encodeURIComponent(formatReplaces(replaces))}`;
  return `<${formatUri({ ...uri, headers })}>`;
}

/** The header fields in a URI, unescaped, names in lower case. */
function uriHeaders(text: string): { name: string; value: string }[] {
  return text.split('&').flatMap((pair) => {
    if (pair === '') return [];
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    return [{ name: unescaped(name).toLowerCase(), value: unescaped(value) }];
  });
}

/** An escaped line end would make a header of its own. */
function unescaped(text: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch (cause) {
    throw malformed(`Refer-To: bad escape: ${String(cause)}`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\x00-\x1f\x7f]/.test(plain)) throw malformed('Refer-To: a control character');
  return plain;
}
