/** Takes tokens and secrets out of text that came from outside, before it becomes part of an error or a log line. */

const mark = '[redacted]';
/** Anything like a JWT (tokens, client assertions), and whatever follows the word Bearer. */
const patterns = [/eyJ[\w-]+\.[\w-]*(?:\.[\w-]*)?/g, /\bBearer\s+[^\s"',;<]+/gi];
/** The current secret, the current token and their predecessors. */
const maxRemembered = 6;

export class Redactor {
  readonly #secrets: string[] = [];

  /** From now on this value is taken out. An answer may echo what it was sent. */
  remember(secret: string): void {
    if (secret === '' || this.#secrets.includes(secret)) return;
    this.#secrets.unshift(secret);
    this.#secrets.length = Math.min(this.#secrets.length, maxRemembered);
  }

  /** Bound to the redactor, so that it can be handed on. */
  readonly clean = (text: string): string => {
    const known = this.#secrets
      .flatMap((secret) => [secret, encodeURIComponent(secret)])
      .reduce((rest, secret) => rest.replaceAll(secret, mark), text);
    return patterns.reduce((rest, pattern) => rest.replace(pattern, mark), known);
  };
}
