// The nonces of one server. Each is signed and carries its time, so nothing is kept for those that ask and never answer; a count is
// kept for those that were used with the right password (RFC 7616 §3.3, §5.4, §5.5).
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface NonceOptions {
  /** Milliseconds; any clock that only goes forward. */
  readonly clock: () => number;
  /** How long a nonce is good. Default 5 minutes. */
  readonly lifetimeMs?: number | undefined;
  /** How many used nonces are remembered. Default 10,000. */
  readonly maxUsed?: number | undefined;
}

const bodyBytes = 16;
const macBytes = 16;
const nonceBytes = bodyBytes + macBytes;

export class Nonces {
  readonly #clock: () => number;
  readonly #lifetimeMs: number;
  readonly #maxUsed: number;
  readonly #key = randomBytes(32);
  /** Highest nonce count by nonce, the least recently added first. */
  readonly #used = new Map<string, { readonly issuedMs: number; nc: number }>();
  /** Nonces of that time and before, of which nothing is remembered, can't be told from used ones any more. */
  #forgottenMs = -1;

  constructor({ clock, lifetimeMs = 300_000, maxUsed = 10_000 }: NonceOptions) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
    this.#maxUsed = maxUsed;
  }

  /** Number of used nonces that are remembered. */
  get size(): number {
    return this.#used.size;
  }

  issue(): string {
    const body = Buffer.alloc(bodyBytes);
    body.writeDoubleBE(this.#clock());
    randomBytes(bodyBytes - 8).copy(body, 8);
    return Buffer.concat([body, this.#mac(body)]).toString('base64url');
  }

  /**
   * Uses a nonce whose credentials are right otherwise. Without a count (no qop) it is good once.
   *
   * @returns false for one that isn't ours, is too old, or was used with this count or a higher one.
   */
  use(nonce: string, nc = 0xffff_ffff): boolean {
    const issuedMs = this.#issuedMs(nonce);
    if (issuedMs === undefined || this.#clock() - issuedMs > this.#lifetimeMs) return false;
    const used = this.#used.get(nonce);
    if (nc <= (used?.nc ?? 0)) return false;
    if (used !== undefined) used.nc = nc;
    else if (issuedMs <= this.#forgottenMs) return false;
    else this.#remember(nonce, issuedMs, nc);
    return true;
  }

  #remember(nonce: string, issuedMs: number, nc: number): void {
    this.#used.set(nonce, { issuedMs, nc });
    const [oldest] = this.#used;
    if (this.#used.size <= this.#maxUsed || oldest === undefined) return;
    this.#used.delete(oldest[0]);
    this.#forgottenMs = Math.max(this.#forgottenMs, oldest[1].issuedMs);
  }

  #issuedMs(nonce: string): number | undefined {
    const bytes = Buffer.from(nonce, 'base64url');
    // The decoder overlooks what is no base64url: another spelling would be another entry of the table.
    if (bytes.length !== nonceBytes || bytes.toString('base64url') !== nonce) return undefined;
    const body = bytes.subarray(0, bodyBytes);
    return timingSafeEqual(bytes.subarray(bodyBytes), this.#mac(body)) ? body.readDoubleBE(0) : undefined;
  }

  #mac(body: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(body).digest().subarray(0, macBytes);
  }
}
