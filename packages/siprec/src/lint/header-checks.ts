// The header fields that any message of a dialog has (RFC 3261 §8.1.1, §8.2.6.2): there, once, readable, and fit for a stream.
import { parseNameAddr, parseVia, SipError, splitList } from '@sidestream/sip';
import type { Report } from './finding.js';
import type { WireField, WireMessage } from './wire-message.js';

const mandatory = ['Via', 'Max-Forwards', 'From', 'To', 'Call-ID', 'CSeq'];
const once = ['Max-Forwards', 'From', 'To', 'Call-ID', 'CSeq', 'Content-Type', 'Content-Length'];

/** Reports on the fields besides SIPREC's own; `inDialog` messages have a To tag. */
export function checkFields(message: WireMessage, method: string, inDialog: boolean, report: Report): void {
  for (const name of mandatory) {
    if (message.field(name) !== undefined || (name === 'Max-Forwards' && message.isResponse)) continue;
    report({
      name: 'header-missing',
      clause: message.isResponse ? 'RFC 3261 §8.2.6.2' : 'RFC 3261 §8.1.1',
      place: message.placeOf(name),
      text: `there is no ${name}`,
      cure: message.isResponse ? `copy ${name} from the request` : `every request has a ${name}`,
    });
  }
  for (const name of once) {
    const second = message.all(name)[1];
    if (second === undefined) continue;
    report({
      name: 'header-repeated',
      clause: 'RFC 3261 §7.3.1',
      place: second.place,
      text: `${name} stands here a second time`,
      cure: 'keep one of them',
    });
  }
  checkAddress(message.field('From'), true, report);
  checkAddress(message.field('To'), inDialog, report);
  checkVia(message.field('Via'), report);
  checkCSeq(message.field('CSeq'), method, report);
  checkTimers(message, report);
  checkContentLength(message, report);
}

/** Runs a reader of packages/sip on a value and reports what it says. */
export function readable<T>(field: WireField | undefined, read: (value: string) => T, report: Report): T | undefined {
  if (field === undefined) return undefined;
  try {
    return read(field.value);
  } catch (error) {
    if (!(error instanceof SipError)) throw error;
    report({
      name: 'header-malformed',
      clause: 'RFC 3261 §25.1',
      place: field.place,
      text: error.message,
      cure: `write ${field.name} as the grammar has it`,
    });
    return undefined;
  }
}

function checkAddress(field: WireField | undefined, tagged: boolean, report: Report): void {
  const address = readable(field, (value) => parseNameAddr(value, field?.name), report);
  if (field === undefined || address === undefined || !tagged || address.parameters.get('tag')) return;
  report({
    name: 'header-malformed',
    clause: field.key === 'from' ? 'RFC 3261 §8.1.1.3' : 'RFC 3261 §12.1, §12.2.1.1',
    place: field.place,
    text: `${field.name} has no tag`,
    cure:
      field.key === 'from' ? 'add ;tag= and a random token' : 'within a dialog the tag is that which the recorder gave',
  });
}

function checkVia(field: WireField | undefined, report: Report): void {
  const via = readable(field, (value) => parseVia(splitList(value)[0] ?? ''), report);
  if (field === undefined || via === undefined || via.parameters.get('branch')?.startsWith('z9hG4bK')) return;
  report({
    name: 'header-malformed',
    clause: 'RFC 3261 §8.1.1.7',
    place: field.place,
    text: 'the topmost Via has no branch that begins with z9hG4bK',
    cure: 'give each request a branch of its own that begins so',
  });
}

function checkCSeq(field: WireField | undefined, method: string, report: Report): void {
  if (field === undefined) return;
  const [, number = '', named = ''] = /^(\d{1,10})[ \t]+(\S+)$/.exec(field.value) ?? [];
  if (number !== '' && Number(number) < 2 ** 31 && named === method) return;
  report({
    name: 'header-malformed',
    clause: 'RFC 3261 §8.1.1.5',
    place: field.place,
    text: `CSeq is not a number below 2^31 and the method ${method}`,
    cure: `write CSeq: <number> ${method}`,
  });
}

/** RFC 4028 §4, §5: neither a session interval nor its minimum is below 90 seconds. */
function checkTimers(message: WireMessage, report: Report): void {
  for (const name of ['Session-Expires', 'Min-SE']) {
    const field = message.field(name);
    const seconds = /^\d{1,10}/.exec(field?.value ?? '')?.[0];
    if (field === undefined || (seconds !== undefined && Number(seconds) >= 90)) continue;
    report({
      name: 'session-timer',
      clause: name === 'Min-SE' ? 'RFC 4028 §5' : 'RFC 4028 §4',
      place: field.place,
      text: `${name} is ${seconds ?? 'no number'}, and nothing below 90 seconds is allowed`,
      cure: `write 90 or more, or leave ${name} out`,
    });
  }
}

/** RFC 3261 §18.3: on a stream, which TLS is, only Content-Length says where the message ends. */
function checkContentLength(message: WireMessage, report: Report): void {
  const { body, bareLf } = message;
  const written = message.field('Content-Length')?.value;
  const finding = (text: string, cure: string) =>
    report({
      name: 'content-length',
      clause: 'RFC 3261 §18.3',
      place: message.placeOf('Content-Length'),
      text,
      cure,
    });
  if (written === undefined) {
    finding(
      'there is no Content-Length, which frames the message on TLS and TCP',
      `write Content-Length: ${body.length}`,
    );
    return;
  }
  const length = /^\d{1,9}$/.test(written) ? Number(written) : undefined;
  const lengths = [body.length, ...(bareLf ? [lengthWithCrLf(body)] : [])];
  if (length === undefined || !lengths.includes(length)) {
    finding(
      `Content-Length is ${JSON.stringify(written.slice(0, 20))}, and the body has ${body.length} bytes`,
      'count the bytes of the body, not its characters, with CR LF at each line end',
    );
  }
}

/** What the body would have if each of its lines ended in CR LF. */
function lengthWithCrLf(body: Buffer): number {
  let bare = 0;
  for (let at = body.indexOf(0x0a); at !== -1; at = body.indexOf(0x0a, at + 1)) if (body[at - 1] !== 0x0d) bare += 1;
  return body.length + bare;
}
