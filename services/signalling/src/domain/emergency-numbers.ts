// Whether a call is one for help: such a call is never held back for its recording.

export class EmergencyNumbers {
  readonly #numbers: ReadonlySet<string>;

  /** @param numbers as they are dialled here. */
  constructor(numbers: Iterable<string>) {
    this.#numbers = new Set(numbers);
  }

  /** @param user the number called; @param requestUri may also name the service itself (RFC 5031). */
  called(user: string, requestUri: string): boolean {
    return this.#numbers.has(user.replace(/[-.() ]/g, '')) || /^urn:service:sos(\.|$)/i.test(requestUri);
  }
}
