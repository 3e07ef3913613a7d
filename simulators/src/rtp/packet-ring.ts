/** The newest items of an endless series, bounded: the oldest goes when the ring is full. */
export class PacketRing<T> {
  /** Items ever added. */
  total = 0;
  readonly #limit: number;
  #items: T[] = [];
  #start = 0;

  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  add(item: T): void {
    this.total += 1;
    this.#items.push(item);
    if (this.#items.length - this.#start > this.#limit) this.#start += 1;
    // Cutting off the dead front only now and then keeps adding cheap.
    if (this.#start > this.#limit) {
      this.#items = this.#items.slice(this.#start);
      this.#start = 0;
    }
  }

  /** The newest item. */
  get last(): T | undefined {
    return this.#items.at(-1);
  }

  /** What is kept, oldest first; a copy. */
  toArray(): T[] {
    return this.#items.slice(this.#start);
  }
}
