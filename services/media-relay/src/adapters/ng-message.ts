// Datagrams of rtpengine's ng protocol: a cookie, a space, a bencoded dictionary.

export type NgValue = string | number | readonly NgValue[] | NgDictionary;
export interface NgDictionary {
  readonly [key: string]: NgValue;
}

const maxDepth = 32;
const space = 0x20;
const colon = 0x3a;
const [minus, d, e, i, l] = [0x2d, 0x64, 0x65, 0x69, 0x6c];

/** The datagram; strings go out as UTF-8, numbers as integers. */
export function encodeMessage(cookie: string, body: NgDictionary): Buffer {
  return Buffer.from(`${cookie} ${encode(body)}`);
}

/** Takes a reply apart; undefined if it is not a cookie and one well-formed dictionary. Never throws. */
export function decodeMessage(datagram: Buffer): { cookie: string; body: NgDictionary } | undefined {
  const end = datagram.indexOf(space);
  if (end < 1) return undefined;
  const reader = new Reader(datagram, end + 1);
  const body = reader.value(0);
  if (!isDictionary(body) || !reader.atEnd) return undefined;
  return { cookie: datagram.toString('latin1', 0, end), body };
}

export function isDictionary(value: NgValue | undefined): value is NgDictionary {
  return typeof value === 'object' && !Array.isArray(value);
}

/** The dictionary that is there, or an empty one. */
export function asDictionary(value: NgValue | undefined): NgDictionary {
  return isDictionary(value) ? value : {};
}

/** The list that is there, or an empty one. */
export function asList(value: NgValue | undefined): readonly NgValue[] {
  return Array.isArray(value) ? value : [];
}

function encode(value: NgValue): string {
  if (typeof value === 'string') return encodeString(value);
  if (typeof value === 'number') return `i${Math.trunc(value)}e`;
  let text = '';
  if (isDictionary(value)) {
    for (const [key, child] of Object.entries(value)) text += encodeString(key) + encode(child);
    return `d${text}e`;
  }
  for (const child of value) text += encode(child);
  return `l${text}e`;
}

function encodeString(text: string): string {
  return `${Buffer.byteLength(text)}:${text}`;
}

/** Reads bencoded values one after the other; undefined for what is none, or nested deeper than maxDepth. */
class Reader {
  readonly #data: Buffer;
  #position: number;

  constructor(data: Buffer, position: number) {
    this.#data = data;
    this.#position = position;
  }

  get atEnd(): boolean {
    return this.#position === this.#data.length;
  }

  value(depth: number): NgValue | undefined {
    const byte = this.#data[this.#position];
    if (byte === i) return this.#integer();
    if (byte !== d && byte !== l) return this.#string();
    if (depth === maxDepth) return undefined;
    this.#position += 1;
    return byte === d ? this.#dictionary(depth + 1) : this.#list(depth + 1);
  }

  #dictionary(depth: number): NgDictionary | undefined {
    const entries: [string, NgValue][] = [];
    while (this.#data[this.#position] !== e) {
      const key = this.#string();
      const value = key === undefined ? undefined : this.value(depth);
      if (key === undefined || value === undefined) return undefined;
      entries.push([key, value]);
    }
    this.#position += 1;
    return Object.fromEntries(entries);
  }

  #list(depth: number): NgValue[] | undefined {
    const list: NgValue[] = [];
    while (this.#data[this.#position] !== e) {
      const value = this.value(depth);
      if (value === undefined) return undefined;
      list.push(value);
    }
    this.#position += 1;
    return list;
  }

  #integer(): number | undefined {
    const first = this.#position + 1;
    let end = this.#data[first] === minus ? first + 1 : first;
    const digits = end;
    while (isDigit(this.#data[end])) end += 1;
    if (end === digits || this.#data[end] !== e) return undefined;
    this.#position = end + 1;
    return Number(this.#data.toString('latin1', first, end));
  }

  #string(): string | undefined {
    let position = this.#position;
    let length = 0;
    // Five digits hold any length that fits into a datagram.
    for (let byte = this.#data[position]; isDigit(byte) && position - this.#position < 5; byte = this.#data[position]) {
      length = length * 10 + byte - 0x30;
      position += 1;
    }
    const start = position + 1;
    if (position === this.#position || this.#data[position] !== colon) return undefined;
    if (start + length > this.#data.length) return undefined;
    this.#position = start + length;
    return this.#data.toString('utf8', start, start + length);
  }
}

function isDigit(byte: number | undefined): byte is number {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
