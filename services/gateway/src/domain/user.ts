// Who somebody is, as a verified token says, and why a token is refused.
import type { SellerKey } from './dialer-event.js';

export interface User extends SellerKey {
  readonly operator: boolean;
  readonly expiresAtMs: number;
}

/** Closed: it is told to clients, and counted. */
export type Refusal =
  | 'malformed'
  | 'bad-algorithm'
  | 'bad-signature'
  | 'unknown-issuer'
  | 'wrong-audience'
  | 'expired'
  | 'not-yet-valid'
  | 'no-seller'
  | 'issuer-unavailable';

/** A token that is not taken. It never holds the token. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  readonly reason: Refusal;

  constructor(reason: Refusal) {
    super(`token refused: ${reason}`);
    this.reason = reason;
  }
}

/** Verifies tokens. @throws TokenRefused */
export interface Tokens {
  verify(token: string): Promise<User>;
}
