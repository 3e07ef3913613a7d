// Values that must never reach a log, an event or an error text.
import { inspect } from 'node:util';

const redacted = '[redacted]';

/** Holds a secret: whatever prints, serialises or inspects it sees `[redacted]`; only `reveal()` gives it out. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}

/** Replaces the keys of every `a=crypto` line (RFC 4568 §9.1 `inline:`) and of `k=` lines; the rest stays readable. */
export function redactSdp(sdp: string): string {
  return sdp.replace(/inline:[^\s|;]+/g, `inline:${redacted}`).replace(/^k=.*$/gm, `k=${redacted}`);
}
