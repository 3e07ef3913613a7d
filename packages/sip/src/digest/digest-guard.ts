// The server's side of digest for one realm: what a caller is asked, and whether what it says holds (RFC 3261 §22.1, RFC 8760 §2.3).
import { randomBytes } from 'node:crypto';
import { SipError } from '../sip-error.js';
import { type DigestHash, digestHashes, digestResponse, sameDigest } from './algorithm.js';
import { formatChallenge } from './challenge.js';
import { type DigestCredentials, parseCredentials } from './credentials.js';
import { Nonces } from './nonces.js';

export interface DigestGuardOptions {
  readonly realm: string;
  /** Passwords by user name. */
  readonly users: ReadonlyMap<string, string>;
  /** What is offered; the strongest is offered first, whatever the order here. */
  readonly hashes: readonly DigestHash[];
  /** Milliseconds; any clock that only goes forward. */
  readonly clock: () => number;
  readonly nonceLifetimeMs?: number | undefined;
  readonly maxUsedNonces?: number | undefined;
}

/** What the credentials are checked against. */
export interface GuardedRequest {
  readonly method: string;
  /** RFC 8760 §2.6, 6: whether credentials made for this URI are good for the request. */
  acceptsUri(uri: string): boolean;
}

/** Why there is no access yet; closed, for metrics. */
export type DigestRefusal = 'no-credentials' | 'malformed' | 'algorithm' | 'user' | 'response' | 'uri' | 'stale';

export type DigestVerdict = { readonly user: string } | { readonly refusal: DigestRefusal };

export class DigestGuard {
  readonly realm: string;
  readonly #users: ReadonlyMap<string, string>;
  readonly #hashes: readonly DigestHash[];
  readonly #nonces: Nonces;
  /** What a user that isn't there is compared with, so that its absence takes as long as a wrong password. */
  readonly #nobody = randomBytes(16).toString('hex');

  constructor(options: DigestGuardOptions) {
    this.realm = options.realm;
    this.#users = options.users;
    this.#hashes = digestHashes.filter((hash) => options.hashes.includes(hash));
    const { clock, nonceLifetimeMs: lifetimeMs, maxUsedNonces: maxUsed } = options;
    this.#nonces = new Nonces({ clock, lifetimeMs, maxUsed });
  }

  /** Values of WWW-Authenticate, the strongest algorithm first (RFC 8760 §2.3), each with a new nonce. */
  challenges(stale = false): string[] {
    const common = { realm: this.realm, qop: ['auth'] as const, stale };
    const nonce = this.#nonces.issue();
    return this.#hashes.map((hash) => formatChallenge({ ...common, nonce, algorithm: { hash, session: false } }));
  }

  /** Judges the value of Authorization. Credentials of other realms are overlooked (RFC 3261 §22.3). Never throws. */
  check(authorization: string | undefined, request: GuardedRequest): DigestVerdict {
    const all = authorization === undefined ? [] : read(authorization);
    if (all === undefined) return { refusal: 'malformed' };
    const credentials = all.find(({ realm }) => realm === this.realm);
    return credentials === undefined ? { refusal: 'no-credentials' } : this.#judge(credentials, request);
  }

  #judge(credentials: DigestCredentials, { method, acceptsUri }: GuardedRequest): DigestVerdict {
    const { algorithm, username, protection, uri, nonce, response } = credentials;
    // What isn't offered isn't taken: else a caller could choose the weakest that we know.
    if (algorithm === undefined || !this.#hashes.includes(algorithm.hash) || protection?.qop === 'auth-int') {
      return { refusal: 'algorithm' };
    }
    const known = this.#users.get(username);
    const password = known ?? this.#nobody;
    const expected = digestResponse({ ...credentials, algorithm, password, method, uri, body: '' });
    const same = sameDigest(response, expected);
    if (known === undefined) return { refusal: 'user' };
    if (!same) return { refusal: 'response' };
    if (!acceptsUri(uri)) return { refusal: 'uri' };
    return this.#nonces.use(nonce, protection?.nc) ? { user: username } : { refusal: 'stale' };
  }
}

function read(authorization: string): DigestCredentials[] | undefined {
  try {
    return parseCredentials(authorization);
  } catch (error) {
    if (error instanceof SipError) return undefined;
    throw error;
  }
}
