// Multipart bodies of others (RFC 2046 §5.1, RFC 5621), read as leniently as the field demands: quoted or bare boundaries in
// any place of the parameters, preamble and epilogue, bare LF, folded fields, a missing closing delimiter, nested multiparts.
import { SiprecError } from '../siprec-error.js';
import { parseMediaType } from './media-type.js';

export interface Part {
  /** Content-Type as written; `text/plain` when the part has none (RFC 2046 §5.1). */
  readonly contentType: string;
  /** Type and subtype of it, lower-case, without parameters. */
  readonly mediaType: string;
  /** Content-Disposition without parameters, lower-case, when there is one. */
  readonly disposition?: string;
  /** All fields of the part by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Where the part's header and its body begin in the bytes that were read. */
  readonly at: { readonly header: number; readonly body: number };
}

const maxBytes = 1024 * 1024;
const maxParts = 16;
const maxDepth = 3;
const maxHeaderBytes = 8 * 1024;

/** The parts of any body: those of a multipart one, nested ones flattened, or the body itself as the only part. */
export function bodyParts(contentType: string, body: Buffer): Part[] {
  const { mediaType } = parseMediaType(contentType);
  if (mediaType.startsWith('multipart/')) return parseMultipart(contentType, body);
  return [{ contentType, mediaType, headers: new Map(), body, at: { header: 0, body: 0 } }];
}

/**
 * The parts of a multipart body of at most 1 MiB and 16 parts, nested multiparts flattened in their order.
 * @throws SiprecError `multipart-type`, `multipart-boundary`, `multipart-too-large`, `multipart-too-many-parts`,
 * `multipart-header`
 */
export function parseMultipart(contentType: string, body: Buffer): Part[] {
  const parts: Part[] = [];
  collect(contentType, body, { offset: 0, depth: 1 }, parts);
  return parts;
}

function collect(
  contentType: string,
  body: Buffer,
  { offset, depth }: { offset: number; depth: number },
  parts: Part[],
): void {
  const { mediaType, parameters } = parseMediaType(contentType);
  if (!mediaType.startsWith('multipart/')) throw new SiprecError('multipart-type', 'the body is not a multipart one');
  // RFC 2046 §5.1.1: a boundary never ends with white space; what does was padded on the way.
  const boundary = parameters.get('boundary')?.trimEnd();
  if (boundary === undefined || boundary === '') {
    throw new SiprecError('multipart-boundary', 'the Content-Type has no boundary', 'RFC 2046 §5.1.1');
  }
  if (body.length > maxBytes) throw new SiprecError('multipart-too-large', `the body has more than ${maxBytes} bytes`);
  for (const { start, end } of split(body, boundary)) {
    const part = parsePart(body.subarray(start, end), offset + start);
    if (part.mediaType.startsWith('multipart/') && depth < maxDepth) {
      collect(part.contentType, part.body, { offset: part.at.body, depth: depth + 1 }, parts);
      continue;
    }
    if (parts.length === maxParts) {
      throw new SiprecError('multipart-too-many-parts', `the body has more than ${maxParts} parts`);
    }
    parts.push(part);
  }
}

/** What stands between the delimiter lines; text before the first and after the last is dropped. */
function* split(body: Buffer, boundary: string): Generator<{ start: number; end: number }> {
  const delimiter = Buffer.from(`--${boundary}`, 'utf8');
  let start: number | undefined;
  let seen = false;
  for (let at = body.indexOf(delimiter); at !== -1; at = body.indexOf(delimiter, at + delimiter.length)) {
    const end = delimiterEnd(body, at, delimiter.length);
    if (end === undefined) continue;
    if (start !== undefined) yield { start, end: lineStart(body, start, at) };
    seen = true;
    start = end.closing ? undefined : end.next;
    if (end.closing) return;
  }
  if (!seen) throw new SiprecError('multipart-boundary', 'the boundary of the Content-Type is not in the body');
  // A last delimiter that is missing costs nothing: SIP frames the body by Content-Length.
  if (start !== undefined) yield { start, end: body.length };
}

/** Where the line of a delimiter at `at` ends, or undefined when it is no delimiter line (RFC 2046 §5.1.1). */
function delimiterEnd(body: Buffer, at: number, length: number): { next: number; closing: boolean } | undefined {
  if (at > 0 && body[at - 1] !== 0x0a) return undefined;
  const closing = body[at + length] === 0x2d && body[at + length + 1] === 0x2d;
  let next = at + length + (closing ? 2 : 0);
  while (body[next] === 0x20 || body[next] === 0x09) next += 1;
  if (body[next] === 0x0d) next += 1;
  if (next >= body.length) return { next: body.length, closing };
  if (body[next] !== 0x0a) return undefined;
  return { next: next + 1, closing };
}

/** The line break before a delimiter belongs to the delimiter. */
function lineStart(body: Buffer, from: number, at: number): number {
  const beforeLf = at - 1;
  const end = body[beforeLf - 1] === 0x0d ? beforeLf - 1 : beforeLf;
  return Math.max(from, end);
}

function parsePart(bytes: Buffer, offset: number): Part {
  const { headerEnd, bodyStart } = headerBounds(bytes);
  if (headerEnd > maxHeaderBytes) throw new SiprecError('multipart-header', 'the header of a part is too long');
  const headers = parseFields(bytes.toString('utf8', 0, headerEnd));
  const contentType = headers.get('content-type') ?? 'text/plain';
  const disposition = headers.get('content-disposition')?.split(';')[0]?.trim().toLowerCase();
  return {
    contentType,
    mediaType: parseMediaType(contentType).mediaType,
    ...(disposition === undefined ? {} : { disposition }),
    headers,
    body: withinLength(bytes.subarray(bodyStart), headers.get('content-length')),
    at: { header: offset, body: offset + bodyStart },
  };
}

/** The header ends at the first empty line; a part that begins with one has no header. */
function headerBounds(bytes: Buffer): { headerEnd: number; bodyStart: number } {
  let lineBegin = 0;
  for (let lf = bytes.indexOf(0x0a); lf !== -1; lf = bytes.indexOf(0x0a, lineBegin)) {
    const lineEnd = lf > lineBegin && bytes[lf - 1] === 0x0d ? lf - 1 : lf;
    if (lineEnd === lineBegin) return { headerEnd: lineBegin, bodyStart: lf + 1 };
    lineBegin = lf + 1;
  }
  return { headerEnd: bytes.length, bodyStart: bytes.length };
}

function parseFields(header: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of header.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

/** A part's own Content-Length only says which trailing line breaks are not content; a false one is ignored. */
function withinLength(body: Buffer, contentLength: string | undefined): Buffer {
  if (contentLength === undefined || !/^\d{1,7}$/.test(contentLength)) return body;
  const length = Number(contentLength);
  const rest = body.subarray(length);
  return length < body.length && rest.every((byte) => byte === 0x0d || byte === 0x0a) ? body.subarray(0, length) : body;
}
