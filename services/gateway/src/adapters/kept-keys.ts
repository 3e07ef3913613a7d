// An issuer's keys as they were got last, for while it can not be asked: an outage of the issuer is none of those who have its tokens.
import type { IssuerFetch } from './issuer-fetch.js';

export class KeptKeys {
  readonly #fetch: IssuerFetch;
  readonly #keptMs: number;
  #last: { readonly text: string; readonly atMs: number } | undefined;
  #isCurrent = false;

  /** @param keptMs how long keys outlive the last time that they were got: one that was withdrawn meanwhile is taken until then */
  constructor(fetch: IssuerFetch, keptMs: number) {
    this.#fetch = fetch;
    this.#keptMs = keptMs;
  }

  /** Whether the issuer gave its keys when it was asked last. While it did not, it may have others, too. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** Gets what `fetch` gets, or the keys of before where it can not, or where what it gets are no keys. */
  async get(url: string, signal: AbortSignal): Promise<Response> {
    try {
      const text = await (await this.#fetch(url, signal)).text();
      if (!Array.isArray(JSON.parse(text).keys)) throw new Error(`${url} has no keys`);
      this.#last = { text, atMs: performance.now() };
      this.#isCurrent = true;
    } catch (error) {
      this.#isCurrent = false;
      if (this.#last === undefined || performance.now() - this.#last.atMs > this.#keptMs) throw error;
    }
    return new Response(this.#last.text);
  }
}
