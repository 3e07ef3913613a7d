/** Where the recorder's media ports come from: opened when they are needed, or before, for answers that may not wait. */
import { PortPair } from '../rtp/port-pair.js';

/** As many streams as a recording has. */
const SPARE = 2;

/** See the module's head; `close` ends those that nobody took. */
export class PortSource {
  readonly #delayMs: () => number;
  #spare: Promise<PortPair>[] = [];
  #closed = false;

  /** @param delayMs how far away the ports are, each way */
  constructor(delayMs: () => number) {
    this.#delayMs = delayMs;
  }

  /** Opens the ports of one more session ahead of it. Resolves when they are there. */
  async prepare(host: string): Promise<void> {
    while (this.#spare.length < SPARE && !this.#closed) this.#spare.push(PortPair.open(host, this.#delayMs));
    await Promise.allSettled(this.#spare);
  }

  /** A pair on this host; rejects when there is none. */
  async take(host: string): Promise<PortPair> {
    const spare = await this.#spare.shift();
    if (spare?.host === host) return spare;
    spare?.close();
    return PortPair.open(host, this.#delayMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const spare = await Promise.allSettled(this.#spare.splice(0));
    for (const result of spare) if (result.status === 'fulfilled') result.value.close();
  }
}
