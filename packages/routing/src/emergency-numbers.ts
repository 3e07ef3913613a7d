// Whether a call is one for help: such a call is never held back, and no number plan touches its number.

export class EmergencyNumbers {
  readonly #numbers: ReadonlySet<string>;

  /** @param numbers as they are dialled here; the first one also stands for the service that has no number (RFC 5031). */
  constructor(numbers: Iterable<string>) {
    this.#numbers = new Set(numbers);
  }

  /**
   * What to dial when this is a call for help, undefined when it is none.
   *
   * @param user the number called; @param requestUri may also name the service itself: trunks know it by its number.
   */
  dialled(user: string, requestUri: string): string | undefined {
    if (this.#numbers.has(user.replace(/[-.() ]/g, ''))) return user;
    if (!/^urn:service:sos(\.|$)/i.test(requestUri)) return undefined;
    const [number = user] = this.#numbers;
    return number;
  }
}
