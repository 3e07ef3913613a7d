/** Makes access tokens and checks them, with a key that both simulated sides share and nobody else. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type JWTPayload, jwtVerify, SignJWT } from 'jose';

export class TokenMint {
  readonly lifetimeS: number;
  readonly #key = randomBytes(32);

  constructor(lifetimeS: number) {
    this.lifetimeS = lifetimeS;
  }

  async issue(claims: Readonly<Record<string, unknown>>, issuer: string, now: Date): Promise<string> {
    const nowS = Math.floor(now.getTime() / 1000);
    return await new SignJWT({ ...claims, jti: randomUUID() })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(issuer)
      .setIssuedAt(nowS)
      .setNotBefore(nowS)
      .setExpirationTime(nowS + this.lifetimeS)
      .sign(this.#key);
  }

  /** The token's claims; rejects with jose's error when it is forged, out of its time, or for another audience. */
  async verify(token: string, audience: string, now: Date): Promise<JWTPayload> {
    // Real APIs allow for clocks a few minutes apart.
    const options = {
      algorithms: ['HS256'],
      audience: [audience, `api://${audience}`],
      currentDate: now,
      clockTolerance: 300,
    };
    return (await jwtVerify(token, this.#key, options)).payload;
  }
}
