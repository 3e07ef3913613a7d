/** Remembers the newest of many strings; as JSON it is a list of them. */
export class Recent {
  readonly #texts: Set<string>;
  readonly #limit: number;

  constructor(limit: number, texts: readonly string[] = []) {
    this.#limit = limit;
    this.#texts = new Set(texts.slice(-limit));
  }

  has(text: string): boolean {
    return this.#texts.has(text);
  }

  add(text: string): void {
    this.#texts.add(text);
    const [oldest] = this.#texts;
    if (this.#texts.size > this.#limit && oldest !== undefined) this.#texts.delete(oldest);
  }

  delete(text: string): void {
    this.#texts.delete(text);
  }

  toJSON(): string[] {
    return [...this.#texts];
  }
}
