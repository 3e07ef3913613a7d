// The header fields of one message: ordered lines with their names as written. Knows no header's meaning.
import { malformed } from '../sip-error.js';
import { isToken, splitList, trimSpace } from './grammar.js';
import { headerKey, knownHeaderKey } from './header-names.js';

const lineEnd = /[\r\n]/;

/** Ordered header field lines. Names match in any case and in their compact form (RFC 3261 §7.3.3). */
export class Headers implements Iterable<readonly [name: string, value: string]> {
  #names: string[] = [];
  #keys: string[] = [];
  #values: string[] = [];
  #revision = 0;

  /** @throws SipError `malformed` for a name that is no token or a value with CR or LF */
  constructor(entries?: Iterable<readonly [string, string]>) {
    if (entries !== undefined) for (const [name, value] of entries) this.append(name, value);
  }

  /** Wraps lines that the parser has checked already; the arrays are taken over. */
  static ofChecked(names: string[], keys: string[], values: string[]): Headers {
    const headers = new Headers();
    headers.#names = names;
    headers.#keys = keys;
    headers.#values = values;
    return headers;
  }

  /** Number of changes so far: what was derived from an older revision is stale. */
  get revision(): number {
    return this.#revision;
  }

  /** Number of header field lines. */
  get size(): number {
    return this.#names.length;
  }

  /** Value of the first line of that name. */
  get(name: string): string | undefined {
    const at = this.#keys.indexOf(headerKey(name));
    return at < 0 ? undefined : this.#values[at];
  }

  /** Every line of that name, as it is. */
  all(name: string): string[] {
    const key = headerKey(name);
    const lines: string[] = [];
    for (let i = this.#keys.indexOf(key); i >= 0; i = this.#keys.indexOf(key, i + 1)) lines.push(this.#values[i] ?? '');
    return lines;
  }

  /** The elements of a list header: every line split at its top-level commas (RFC 3261 §7.3.1). */
  values(name: string): string[] {
    const lines = this.all(name);
    return lines.length === 1 ? splitList(lines[0] ?? '') : lines.flatMap(splitList);
  }

  has(name: string): boolean {
    return this.#keys.includes(headerKey(name));
  }

  /** Number of lines of that name. */
  count(name: string): number {
    const key = headerKey(name);
    let count = 0;
    for (const other of this.#keys) if (other === key) count += 1;
    return count;
  }

  /** Replaces every line of that name by one line per value, where the first one stood (at the end if there was none). */
  set(name: string, ...values: string[]): this {
    for (const value of values) checkLine(name, value);
    const at = this.#keys.indexOf(headerKey(name));
    if (at >= 0) this.delete(name);
    this.#insert(at < 0 ? this.#names.length : at, name, values);
    return this;
  }

  /** Adds a line at the end. */
  append(name: string, value: string): this {
    checkLine(name, value);
    this.#insert(this.#names.length, name, [value]);
    return this;
  }

  /** Adds a line above the first one of that name, or above all lines: for Via, Route and Record-Route. */
  prepend(name: string, value: string): this {
    checkLine(name, value);
    this.#insert(Math.max(0, this.#keys.indexOf(headerKey(name))), name, [value]);
    return this;
  }

  delete(name: string): this {
    const key = headerKey(name);
    const kept = (_: string, i: number): boolean => this.#keys[i] !== key;
    if (!this.#keys.includes(key)) return this;
    this.#names = this.#names.filter(kept);
    this.#values = this.#values.filter(kept);
    this.#keys = this.#keys.filter((other) => other !== key);
    this.#revision += 1;
    return this;
  }

  clone(): Headers {
    return Headers.ofChecked([...this.#names], [...this.#keys], [...this.#values]);
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#names.length; i += 1) yield [this.#names[i] ?? '', this.#values[i] ?? ''];
  }

  /** The lines as they go on the wire, Content-Length set to the given number of bytes in its old place or at the end. */
  format(contentLength: number): string {
    let text = '';
    let placed = false;
    for (let i = 0; i < this.#names.length; i += 1) {
      if (this.#keys[i] !== 'content-length') text += `${this.#names[i]}: ${this.#values[i]}\r\n`;
      else if (!placed) {
        text += `${this.#names[i]}: ${contentLength}\r\n`;
        placed = true;
      }
    }
    return placed ? text : `${text}Content-Length: ${contentLength}\r\n`;
  }

  #insert(at: number, name: string, values: readonly string[]): void {
    const key = headerKey(name);
    this.#names.splice(at, 0, ...values.map(() => name));
    this.#keys.splice(at, 0, ...values.map(() => key));
    this.#values.splice(at, 0, ...values.map(trimSpace));
    this.#revision += 1;
  }
}

// Whoever can put a line end into a value can write headers of his own, so it is refused where it enters.
function checkLine(name: string, value: string): void {
  if (knownHeaderKey(name) === undefined && !isToken(name)) throw malformed('a header name is not a token');
  if (lineEnd.test(value)) throw malformed(`${name}: a line end inside the value`);
}
