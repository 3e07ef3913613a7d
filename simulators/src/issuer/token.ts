/** The tokens of the simulated issuer: good ones, and the bad ones that a receiver has to refuse. */
import { randomUUID } from 'node:crypto';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { newSigningKey, type SigningKey } from './signing-keys.js';

export interface TokenOptions {
  /** Object id of the user; also the subject. */
  readonly oid: string;
  /** The issuer's audience unless told. */
  readonly aud?: string;
  readonly roles?: readonly string[];
  readonly name?: string;
  /** From now; 3,600. Negative: it ran out so long ago. */
  readonly expiresInS?: number;
  /** From now; it is valid at once unless told. */
  readonly notBeforeInS?: number;
  /** Claims that replace or extend the others; `undefined` takes one away. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `other-key`: by a key that nobody knows, under the name of the published one. `none`: not at all (`alg: none`). `hmac`: with the public key's text as a secret. */
  readonly signature?: 'good' | 'other-key' | 'none' | 'hmac';
}

const lifetimeS = 3_600;

export async function mintToken(
  { oid, aud, roles = [], name = oid, expiresInS = lifetimeS, notBeforeInS, claims, signature = 'good' }: TokenOptions,
  from: { readonly issuer: string; readonly audience: string; readonly key: SigningKey },
): Promise<string> {
  const nowS = Math.floor(Date.now() / 1_000);
  const payload: JWTPayload = {
    iss: from.issuer,
    aud: aud ?? from.audience,
    sub: oid,
    oid,
    name,
    roles: [...roles],
    // A token that ran out began before.
    iat: nowS + Math.min(0, expiresInS) - 1,
    nbf: nowS + (notBeforeInS ?? Math.min(0, expiresInS) - 1),
    exp: nowS + expiresInS,
    jti: randomUUID(),
    ...claims,
  };
  const { kid, alg, privateKey, publicJwk } = from.key;
  const signed = new SignJWT(payload);
  switch (signature) {
    case 'good':
      return signed.setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(privateKey);
    case 'other-key':
      return signed.setProtectedHeader({ alg, kid, typ: 'JWT' }).sign((await newSigningKey(alg)).privateKey);
    case 'none':
      return new UnsecuredJWT(payload).encode();
    case 'hmac':
      return signed
        .setProtectedHeader({ alg: 'HS256', kid, typ: 'JWT' })
        .sign(Buffer.from(JSON.stringify(publicJwk), 'utf8'));
    default:
      return signature satisfies never;
  }
}
