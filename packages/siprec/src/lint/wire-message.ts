// A SIP request as it lies in a file, read as far as it can be: header lines with their places, bare LF and folding included.
// packages/sip refuses what a stack must refuse; a lint goes on, so that one run shows all there is to mend.
import { headerKey } from '@sidestream/sip';
import type { Place, Report } from './finding.js';
import { positionIn } from './source.js';

export interface WireField {
  readonly name: string;
  /** Lower-case long name. */
  readonly key: string;
  /** Folded lines joined, white space at the ends removed. */
  readonly value: string;
  readonly place: Place;
}

/** See the module's head. */
export class WireMessage {
  readonly bytes: Buffer;
  readonly startLine: string;
  readonly fields: readonly WireField[];
  readonly bodyOffset: number;
  /** Whether lines of the header end in LF alone, as in files written by hand. */
  readonly bareLf: boolean;

  constructor(init: Pick<WireMessage, 'bytes' | 'startLine' | 'fields' | 'bodyOffset' | 'bareLf'>) {
    this.bytes = init.bytes;
    this.startLine = init.startLine;
    this.fields = init.fields;
    this.bodyOffset = init.bodyOffset;
    this.bareLf = init.bareLf;
  }

  /** Everything behind the header, whatever Content-Length says of it. */
  get body(): Buffer {
    return this.bytes.subarray(this.bodyOffset);
  }

  get isResponse(): boolean {
    return this.startLine.startsWith('SIP/');
  }

  field(name: string): WireField | undefined {
    const key = headerKey(name);
    return this.fields.find((field) => field.key === key);
  }

  all(name: string): WireField[] {
    const key = headerKey(name);
    return this.fields.filter((field) => field.key === key);
  }

  /** The place of a field; one that is missing has none, and the Request-URI stands in the first line. */
  placeOf(name: string): Place {
    if (name === 'Request-URI') return { line: 1, column: this.startLine.indexOf(' ') + 2, path: name };
    return this.field(name)?.place ?? { path: `header ${name}` };
  }
}

const maxFields = 512;

/** Reads a message and reports what is wrong with its lines. */
export function readWireMessage(bytes: Buffer, report: Report): WireMessage {
  const lines = headerLines(bytes);
  const bare = lines.find(({ bareLf }) => bareLf);
  if (bare !== undefined) {
    report({
      name: 'line-ends',
      clause: 'RFC 3261 §7',
      place: { ...positionIn(bytes, bare.offset), path: 'header' },
      text: 'lines of the header end in LF alone',
      cure: 'end every line of the message in CR LF (unix2dos does) and count Content-Length anew',
    });
  }
  const [start, ...rest] = lines;
  const end = rest.findIndex(({ text }) => text === '');
  const fields: WireField[] = [];
  for (const line of unfolded(end === -1 ? rest : rest.slice(0, end)).slice(0, maxFields)) {
    const field = readField(line, bytes);
    if (field !== undefined) fields.push(field);
    else reportLine(line, bytes, report);
  }
  return new WireMessage({
    bytes,
    startLine: start?.text ?? '',
    fields,
    bodyOffset: end === -1 ? bytes.length : (rest[end]?.next ?? bytes.length),
    bareLf: bare !== undefined,
  });
}

interface Line {
  readonly text: string;
  readonly offset: number;
  readonly next: number;
  readonly bareLf: boolean;
}

/** The lines up to and with the first empty one; empty lines before a start line are none (RFC 3261 §7.5). */
function headerLines(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  for (let offset = 0; offset < bytes.length && lines.length <= 2 * maxFields; ) {
    const found = bytes.indexOf(0x0a, offset);
    const next = found === -1 ? bytes.length : found + 1;
    const end = found === -1 ? bytes.length : found;
    const hasCr = end > offset && bytes[end - 1] === 0x0d;
    const text = bytes.toString('utf8', offset, hasCr ? end - 1 : end);
    if (text !== '' || lines.length > 0) lines.push({ text, offset, next, bareLf: found !== -1 && !hasCr });
    if (text === '' && lines.length > 0) break;
    offset = next;
  }
  return lines;
}

function unfolded(lines: readonly Line[]): Line[] {
  const joined: Line[] = [];
  for (const line of lines) {
    const before = joined.at(-1);
    if (/^[ \t]/.test(line.text) && before !== undefined) {
      joined[joined.length - 1] = { ...before, text: `${before.text} ${line.text.trim()}` };
    } else joined.push(line);
  }
  return joined;
}

function readField({ text, offset }: Line, bytes: Buffer): WireField | undefined {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon)).trimEnd();
  if (!/^[A-Za-z0-9\-.!%*_+`'~]+$/.test(name)) return undefined;
  const place = { ...positionIn(bytes, offset), path: `header ${name}` };
  return { name, key: headerKey(name), value: text.slice(colon + 1).trim(), place };
}

function reportLine({ offset }: Line, bytes: Buffer, report: Report): void {
  report({
    name: 'header-malformed',
    clause: 'RFC 3261 §7.3.1',
    place: { ...positionIn(bytes, offset), path: 'header' },
    text: 'this line of the header is not a name, a colon and a value',
    cure: 'write Name: value, or begin the line with a space if it continues the one above; the body begins after an empty line',
  });
}
