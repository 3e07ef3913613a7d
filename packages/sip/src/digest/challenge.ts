// WWW-Authenticate and Proxy-Authenticate (RFC 3261 §20.27, §20.44; RFC 7616 §3.3).
import { quote, splitList } from '../message/grammar.js';
import { SipError } from '../sip-error.js';
import { type DigestAlgorithm, formatAlgorithm, parseAlgorithm, type Qop } from './algorithm.js';
import { type AuthFields, parseAuthFields } from './auth-fields.js';

export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string | undefined;
  readonly algorithm: DigestAlgorithm;
  /** What the server offers of what we know; undefined where it offers nothing at all (before RFC 2617). */
  readonly qop?: readonly Qop[] | undefined;
  /** The credentials were right, their nonce is too old. */
  readonly stale: boolean;
}

/**
 * The challenges that can be answered, in their order. RFC 8760 §2.4: what isn't understood is ignored, be it a scheme, an
 * algorithm or a field that can't be read at all.
 *
 * @param fields one header field each, or several joined by commas
 */
export function parseChallenges(fields: readonly string[]): DigestChallenge[] {
  return fields.flatMap((field) => {
    try {
      return parseAuthFields(field).flatMap((one) => understood(one) ?? []);
    } catch (error) {
      if (error instanceof SipError) return [];
      throw error;
    }
  });
}

/** One header field's value. @throws SipError `malformed` for a line end in a value */
export function formatChallenge({ realm, nonce, opaque, algorithm, qop, stale }: DigestChallenge): string {
  const parts = [`realm=${quote(realm)}`, `nonce=${quote(nonce)}`];
  if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`);
  if (stale) parts.push('stale=true');
  parts.push(`algorithm=${formatAlgorithm(algorithm)}`);
  if (qop !== undefined) parts.push(`qop="${qop.join(',')}"`);
  return `Digest ${parts.join(', ')}`;
}

function understood({ scheme, parameters }: AuthFields): DigestChallenge | undefined {
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  const algorithm = parseAlgorithm(parameters.get('algorithm'));
  const offered = parameters.get('qop');
  const known = offered === undefined ? [] : splitList(offered.toLowerCase()).filter(isQop);
  if (scheme !== 'digest' || realm === undefined || nonce === undefined || algorithm === undefined) return undefined;
  if (offered !== undefined && offered.trim() !== '' && known.length === 0) return undefined;
  // The session's key takes a client nonce, which goes with qop alone.
  if (algorithm.session && known.length === 0) return undefined;
  const opaque = parameters.get('opaque');
  return {
    realm,
    nonce,
    algorithm,
    stale: parameters.get('stale')?.toLowerCase() === 'true',
    ...(opaque === undefined ? {} : { opaque }),
    ...(known.length === 0 ? {} : { qop: known }),
  };
}

function isQop(text: string): text is Qop {
  return text === 'auth' || text === 'auth-int';
}
