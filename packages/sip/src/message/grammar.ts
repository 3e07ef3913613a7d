// The few productions of RFC 3261 §25.1 that several headers share: token, quoted-string, comma lists, parameters.
import { malformed } from '../sip-error.js';

const token = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const callId = /^[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+(?:@[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+)?$/;
const quotedString = /^"(?:[^"\\]|\\.)*"$/s;

/** Whether the text is a `token`. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** Whether the text is a `callid`: `word [ "@" word ]`. */
export function isCallId(text: string): boolean {
  return callId.test(text);
}

/**
 * The text without spaces and tabs at its ends. String.trim would also take a byte order mark or a no-break space away,
 * which are part of a value (RFC 4475 §3.1.1.2 intmeth).
 */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The text of a quoted-string with its quoted pairs resolved; any other text is given back as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  const inner = text.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\(.)/gs, '$1') : inner;
}

/** A quoted-string that means the text. @throws SipError `malformed` for CR or LF, which no quoting can carry. */
export function quote(text: string): string {
  if (/[\r\n]/.test(text)) throw malformed('a quoted string cannot carry a line end');
  // Control characters are legal in a quoted-string only as quoted pairs.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the grammar names them
  return `"${text.replace(/["\\\x00-\x08\x0b-\x1f\x7f]/g, '\\$&')}"`;
}

/** Whether the text is one whole quoted-string. */
export function isQuotedString(text: string): boolean {
  return quotedString.test(text);
}

/** Index just behind the quoted-string that begins at `start`, or -1 if it never ends. */
export function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i += 1;
    else if (code === 0x22) return i + 1;
  }
  return -1;
}

/**
 * Splits a list header at its top-level commas (not those inside quotes or angle brackets), elements trimmed.
 * An empty line is no element; an empty element between commas is kept, for the element's parser to refuse.
 */
export function splitList(text: string): string[] {
  if (!text.includes(',')) {
    const only = trimSpace(text);
    return only === '' ? [] : [only];
  }
  const elements: string[] = [];
  let start = 0;
  let inBrackets = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x22 && !inBrackets) {
      const end = endOfQuoted(text, i);
      if (end < 0) break;
      i = end - 1;
    } else if (code === 0x3c) inBrackets = true;
    else if (code === 0x3e) inBrackets = false;
    else if (code === 0x2c && !inBrackets) {
      elements.push(trimSpace(text.slice(start, i)));
      start = i + 1;
    }
  }
  elements.push(trimSpace(text.slice(start)));
  return elements;
}

/** Parameters of a header or URI; `null` for one without a value; values as written, quotes included. */
export type Parameters = ReadonlyMap<string, string | null>;

export const noParameters: Parameters = new Map();

const parameter = /[ \t]*;[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)(?:[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s;,"<>]+))?/sy;

/**
 * Reads `;name=value` pairs from `start` to the end of the text. Names come in lower case.
 * @throws SipError `malformed` for anything else, and for a name given twice (RFC 3261 §7.3.1)
 */
export function parseParameters(text: string, start: number, field: string): Parameters {
  if (start >= text.length) return noParameters;
  const parameters = new Map<string, string | null>();
  parameter.lastIndex = start;
  let end = start;
  for (let match = parameter.exec(text); match !== null; match = parameter.exec(text)) {
    const name = (match[1] ?? '').toLowerCase();
    if (parameters.has(name)) throw malformed(`${field}: parameter ${name} is given twice`);
    parameters.set(name, match[2] ?? null);
    end = parameter.lastIndex;
  }
  if (end < text.length && trimSpace(text.slice(end)) !== '')
    throw malformed(`${field}: bad parameter at offset ${end}`);
  return parameters;
}

/** `;name=value` for each parameter; values are written as they are. */
export function formatParameters(parameters: Parameters): string {
  let text = '';
  for (const [name, value] of parameters) text += value === null ? `;${name}` : `;${name}=${value}`;
  return text;
}
