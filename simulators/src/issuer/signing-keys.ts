/** The keys of an issuer: one signs, it and those before it are published until they are taken back. */
import { randomBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';

export type SigningAlgorithm = 'RS256' | 'ES256';

export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** A key pair that nobody has seen before. */
export async function newSigningKey(alg: SigningAlgorithm): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const kid = randomBytes(8).toString('hex');
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export class SigningKeys {
  readonly #alg: SigningAlgorithm;
  #published: SigningKey[];
  #current: SigningKey;

  private constructor(alg: SigningAlgorithm, first: SigningKey) {
    this.#alg = alg;
    this.#current = first;
    this.#published = [first];
  }

  static async create(alg: SigningAlgorithm): Promise<SigningKeys> {
    return new SigningKeys(alg, await newSigningKey(alg));
  }

  /** The one that signs from now on. */
  get current(): SigningKey {
    return this.#current;
  }

  /** RFC 7517 §5. */
  get jwks(): { readonly keys: readonly JWK[] } {
    return { keys: this.#published.map(({ publicJwk }) => publicJwk) };
  }

  /** Signs with a new key from now on; the old ones stay published unless they are to be withdrawn. */
  async rotate(withdrawOld: boolean): Promise<void> {
    this.#current = await newSigningKey(this.#alg);
    this.#published = withdrawOld ? [this.#current] : [...this.#published, this.#current];
  }
}
