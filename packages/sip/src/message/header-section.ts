// From the bytes of a header section to checked header lines: line ends, folding, UTF-8, control characters, names.
import { isAscii, isUtf8 } from 'node:buffer';
import { malformed, tooLarge } from '../sip-error.js';
import { endOfQuoted, isToken, trimSpace } from './grammar.js';
import { headerKey, knownHeaderKey } from './header-names.js';
import { Headers } from './headers.js';

// Control characters, which RFC 3261 §25.1 allows nowhere outside a quoted pair. CR and LF are the line splitter's.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: quoted-pair = "\" (%x00-09 / %x0B-0C / %x0E-7F)
const quotedPairs = /\\[\x00-\x09\x0b\x0c\x0e-\x7f]/g;

/** The text of a header section. @throws SipError `malformed` for invalid UTF-8 or a control character */
export function decodeHeaderSection(section: Buffer): string {
  let text: string;
  if (isAscii(section)) text = section.toString('latin1');
  else if (isUtf8(section)) text = section.toString('utf8');
  else throw malformed('header section: not UTF-8');
  if (control.test(text)) checkControls(text);
  return text;
}

// A quoted string may hold a control character as a quoted pair (RFC 4475 §3.1.1.2 intmeth); nothing else may. Such lines
// are so rare that they are walked a second time.
function checkControls(text: string): void {
  for (const line of text.split('\r\n')) {
    if (control.test(line) && control.test(withoutQuotedPairs(line)))
      throw malformed('header section: control character');
  }
}

function withoutQuotedPairs(line: string): string {
  let text = '';
  let start = 0;
  for (let open = line.indexOf('"'); open >= 0; open = line.indexOf('"', start)) {
    const end = endOfQuoted(line, open);
    if (end < 0) break;
    text += line.slice(start, open) + line.slice(open, end).replace(quotedPairs, '');
    start = end;
  }
  return text + line.slice(start);
}

/**
 * Splits decoded header lines (without the start line, without the empty line) into Headers. Folded lines are joined by one
 * space (RFC 3261 §7.3.1). @throws SipError `malformed` (a CR or LF on its own among others), or `too-large` above
 * `maxFields` lines
 */
export function splitHeaderLines(text: string, maxFields: number): Headers {
  const names: string[] = [];
  const keys: string[] = [];
  const values: string[] = [];
  const lines = text.includes('\r\n ') || text.includes('\r\n\t') ? text.replace(/\r\n[ \t]+/g, ' ') : text;
  for (let start = 0; start < lines.length; ) {
    const end = lineEnd(lines, start);
    const colon = lines.indexOf(':', start);
    if (colon < 0 || colon >= end) throw malformed(`header line ${names.length + 1}: no colon`);
    // White space is allowed before the colon (RFC 3261 §7.3.1); before the name it would be a fold.
    const name = trimSpace(lines.slice(start, colon));
    const known = knownHeaderKey(name);
    if (known === undefined && !isToken(name))
      throw malformed(`header line ${names.length + 1}: the name is not a token`);
    if (names.length >= maxFields) throw tooLarge(`more than ${maxFields} header lines`);
    names.push(name);
    keys.push(known ?? headerKey(name));
    values.push(trimSpace(lines.slice(colon + 1, end)));
    start = end + 2;
  }
  return Headers.ofChecked(names, keys, values);
}

/** Where the line that begins at `start` ends: at the next CR LF or with the text. */
function lineEnd(lines: string, start: number): number {
  const cr = lines.indexOf('\r', start);
  const lf = lines.indexOf('\n', start);
  if (cr < 0 && lf < 0) return lines.length;
  if (cr < 0 || lf !== cr + 1) throw malformed('header section: CR or LF on its own');
  return cr;
}
