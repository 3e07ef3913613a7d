// What is hashed and how: RFC 7616 §3.4 with the methods and URIs of SIP (RFC 8760 §2.6). MD5 is there for those who know no other.
import { createHash, timingSafeEqual } from 'node:crypto';

/** Hashes from the strongest to the weakest, in the words of RFC 8760 §2.7. */
export const digestHashes = ['SHA-512-256', 'SHA-256', 'MD5'] as const;

export type DigestHash = (typeof digestHashes)[number];

/** `MD5`, `SHA-256-sess`, … taken apart. */
export interface DigestAlgorithm {
  readonly hash: DigestHash;
  /** `-sess`: the password's hash is mixed with both nonces. */
  readonly session: boolean;
}

export type Qop = 'auth' | 'auth-int';

/** What a response is computed from. */
export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  /** Hashed for `auth-int` alone. */
  readonly body: Buffer | string;
  /** Absent in credentials of RFC 2069's kind, which RFC 8760 §2.6 still has servers understand. */
  readonly protection?: { readonly qop: Qop; readonly cnonce: string; readonly nc: number } | undefined;
}

const names: Readonly<Record<DigestHash, string>> = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };

/** @returns undefined for an algorithm that isn't known; without one it is MD5 (RFC 7616 §3.3). */
export function parseAlgorithm(text: string | undefined): DigestAlgorithm | undefined {
  const [, name, session] = /^(.*?)(-sess)?$/i.exec(text ?? 'MD5') ?? [];
  const hash = digestHashes.find((one) => one === name?.toUpperCase());
  return hash && { hash, session: session !== undefined };
}

export function formatAlgorithm({ hash, session }: DigestAlgorithm): string {
  return session ? `${hash}-sess` : hash;
}

/** The nonce count as it is written and hashed: eight hexadecimal digits. */
export function formatNonceCount(nc: number): string {
  return nc.toString(16).padStart(8, '0');
}

/** The value of `response`, in lower-case hexadecimal digits. */
export function digestResponse(input: DigestInput): string {
  const { algorithm, username, realm, password, nonce, method, uri, body, protection } = input;
  const h = (text: Buffer | string): string => createHash(names[algorithm.hash]).update(text).digest('hex');
  const secret = h(`${username}:${realm}:${password}`);
  const a1 = algorithm.session ? h(`${secret}:${nonce}:${protection?.cnonce ?? ''}`) : secret;
  const a2 = h(protection?.qop === 'auth-int' ? `${method}:${uri}:${h(body)}` : `${method}:${uri}`);
  if (protection === undefined) return h(`${a1}:${nonce}:${a2}`);
  const { qop, cnonce, nc } = protection;
  return h(`${a1}:${nonce}:${formatNonceCount(nc)}:${cnonce}:${qop}:${a2}`);
}

/** Compares without telling by the time it takes how much is right. */
export function sameDigest(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given.toLowerCase()), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
