// Datagrams of rtpengine's ng protocol: a cookie, a space, a bencoded dictionary.
import bencode from 'bencode';

export type NgValue = string | number | readonly NgValue[] | NgDictionary;
export interface NgDictionary {
  readonly [key: string]: NgValue;
}

const maxDepth = 32;
const space = 0x20;
const colon = 0x3a;
const [minus, d, e, i, l] = [0x2d, 0x64, 0x65, 0x69, 0x6c];

export function encodeMessage(cookie: string, body: NgDictionary): Buffer {
  return Buffer.concat([Buffer.from(`${cookie} `), bencode.encode(body)]);
}

/** Takes a reply apart; undefined if it is not cookie and dictionary. Never throws. */
export function decodeMessage(datagram: Buffer): { cookie: string; body: NgDictionary } | undefined {
  const end = datagram.indexOf(space);
  if (end < 1 || datagram[end + 1] !== d) return undefined;
  const payload = datagram.subarray(end + 1);
  // The library loops for ever on a negative string length and recurses as deep as it is told to.
  if (!isWellFormed(payload)) return undefined;
  const body = toText(bencode.decode(payload));
  return isDictionary(body) ? { cookie: datagram.toString('latin1', 0, end), body } : undefined;
}

export function isDictionary(value: NgValue | undefined): value is NgDictionary {
  return typeof value === 'object' && !Array.isArray(value);
}

/** The library can decode strings itself, but not in dictionaries: version 4.0.1 then fails on every key. */
function toText(value: unknown): NgValue {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
  if (typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map(toText);
  if (typeof value !== 'object' || value === null) return '';
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, toText(child)]));
}

/** One bencoded value and nothing behind it, nested no deeper than maxDepth, every string inside the data. */
function isWellFormed(data: Buffer): boolean {
  const open: { readonly dictionary: boolean; wantsKey: boolean }[] = [];
  let position = 0;
  do {
    const parent = open.at(-1);
    const byte = data[position];
    if (byte === d || byte === l) {
      if (parent?.wantsKey || open.length === maxDepth) return false;
      open.push({ dictionary: byte === d, wantsKey: byte === d });
      position += 1;
      continue;
    }
    if (byte === e) {
      if (!parent || (parent.dictionary && !parent.wantsKey)) return false;
      open.pop();
      position += 1;
    } else if (byte === i) {
      if (parent?.wantsKey) return false;
      position = afterInteger(data, position);
    } else {
      position = afterString(data, position);
    }
    if (position < 0) return false;
    const container = open.at(-1);
    if (container?.dictionary) container.wantsKey = !container.wantsKey;
  } while (open.length > 0);
  return position === data.length;
}

function afterInteger(data: Buffer, start: number): number {
  let position = data[start + 1] === minus ? start + 2 : start + 1;
  const first = position;
  while (isDigit(data[position])) position += 1;
  return position > first && data[position] === e ? position + 1 : -1;
}

function afterString(data: Buffer, start: number): number {
  let position = start;
  let length = 0;
  while (isDigit(data[position]) && position - start < 6) {
    length = length * 10 + Number(data[position]) - 0x30;
    position += 1;
  }
  if (position === start || data[position] !== colon) return -1;
  const end = position + 1 + length;
  return end <= data.length ? end : -1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
