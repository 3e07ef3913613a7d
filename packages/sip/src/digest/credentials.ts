// Authorization and Proxy-Authorization (RFC 3261 §20.7, §20.28; RFC 7616 §3.4).
import { quote } from '../message/grammar.js';
import { malformed } from '../sip-error.js';
import { type DigestAlgorithm, formatAlgorithm, formatNonceCount, parseAlgorithm, type Qop } from './algorithm.js';
import { type AuthFields, parseAuthFields } from './auth-fields.js';

export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** Undefined for one that isn't known. */
  readonly algorithm: DigestAlgorithm | undefined;
  readonly opaque?: string | undefined;
  readonly protection?: { readonly qop: Qop; readonly cnonce: string; readonly nc: number } | undefined;
}

/**
 * The digest credentials of one header field, or of several joined by commas. Other schemes are left out.
 *
 * @throws SipError `malformed`; its message names the parameter and holds no value
 */
export function parseCredentials(text: string): DigestCredentials[] {
  return parseAuthFields(text)
    .filter(({ scheme }) => scheme === 'digest')
    .map(read);
}

/** One header field's value. @throws SipError `malformed` for a line end in a value */
export function formatCredentials(credentials: DigestCredentials & { readonly algorithm: DigestAlgorithm }): string {
  const { username, realm, nonce, uri, response, algorithm, opaque, protection } = credentials;
  const parts = [`username=${quote(username)}`, `realm=${quote(realm)}`, `nonce=${quote(nonce)}`];
  parts.push(`uri=${quote(uri)}`, `response="${response}"`, `algorithm=${formatAlgorithm(algorithm)}`);
  if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`);
  if (protection !== undefined) {
    const { qop, cnonce, nc } = protection;
    parts.push(`qop=${qop}`, `cnonce=${quote(cnonce)}`, `nc=${formatNonceCount(nc)}`);
  }
  return `Digest ${parts.join(', ')}`;
}

function read({ parameters }: AuthFields): DigestCredentials {
  const must = (name: string): string => {
    const value = parameters.get(name);
    if (value === undefined) throw malformed(`credentials: ${name} is missing`);
    return value;
  };
  const opaque = parameters.get('opaque');
  return {
    username: must('username'),
    realm: must('realm'),
    nonce: must('nonce'),
    uri: must('uri'),
    response: must('response'),
    algorithm: parseAlgorithm(parameters.get('algorithm')),
    ...(opaque === undefined ? {} : { opaque }),
    ...(parameters.has('qop') ? { protection: protectionIn(must) } : {}),
  };
}

function protectionIn(must: (name: string) => string): NonNullable<DigestCredentials['protection']> {
  const qop = must('qop').toLowerCase();
  if (qop !== 'auth' && qop !== 'auth-int') throw malformed('credentials: qop is neither auth nor auth-int');
  const nc = must('nc');
  if (!/^[0-9a-f]{8}$/i.test(nc)) throw malformed('credentials: nc is not eight hexadecimal digits');
  return { qop, cnonce: must('cnonce'), nc: Number.parseInt(nc, 16) };
}
