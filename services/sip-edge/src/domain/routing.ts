// Which client gets the next request of a method: round robin over the clients that asked for it.

/** Verbs of clients. C is whatever stands for a client; it is compared by identity. */
export class RouteTable<C> {
  readonly #slots = new Map<string, C[]>();
  readonly #maxVerbs: number;

  /** @param maxVerbs verbs beyond it are refused, so that no client can fill the memory with names. */
  constructor(maxVerbs = 64) {
    this.#maxVerbs = maxVerbs;
  }

  /**
   * Gives a client one slot for a verb. drachtio-srf sends all its verbs again whenever one is added; a second slot for
   * the same client would skew the round robin, so there is none (drachtio-server counts each).
   *
   * @returns false where the table is full.
   */
  add(verb: string, client: C): boolean {
    const slots = this.#slots.get(verb);
    if (slots === undefined) {
      if (this.#slots.size >= this.#maxVerbs) return false;
      this.#slots.set(verb, [client]);
    } else if (!slots.includes(client)) slots.push(client);
    return true;
  }

  /** Takes one verb from a client. */
  remove(verb: string, client: C): void {
    const slots = (this.#slots.get(verb) ?? []).filter((slot) => slot !== client);
    if (slots.length === 0) this.#slots.delete(verb);
    else this.#slots.set(verb, slots);
  }

  /** Takes all verbs from a client that has gone. */
  removeClient(client: C): void {
    for (const verb of [...this.#slots.keys()]) this.remove(verb, client);
  }

  /** The client whose turn it is; undefined where nobody wants the verb. */
  next(verb: string): C | undefined {
    const slots = this.#slots.get(verb);
    const client = slots?.shift();
    if (slots !== undefined && client !== undefined) slots.push(client);
    return client;
  }
}
