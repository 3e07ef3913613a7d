// What went over the wire, as sipp's own message log has it. Read without Sidestream's parser, so that both are not wrong alike.
import type { Kind } from './steps.js';

/** A message with all its copies. */
export interface LoggedMessage {
  readonly which: 'sent' | 'received';
  readonly kind: Kind;
  readonly startLine: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly bodyBytes: number;
  readonly text: string;
  copies: number;
}

/** RFC 3261 §7.3.3, as far as flows use them. */
const compactNames: Readonly<Record<string, string>> = { v: 'Via', m: 'Contact', k: 'Supported', c: 'Content-Type' };

const separator = /^-{40,} .*$/m;

/** The messages in their order; a copy counts for the first one. */
export function readSippLog(log: string): LoggedMessage[] {
  const messages = new Map<string, LoggedMessage>();
  for (const entry of log.split(separator)) {
    const match = /^\n\w+ message (sent|received) [([](\d+)[ \])].*?:\n\n/.exec(entry);
    if (match === null) continue;
    const which = match[1] === 'sent' ? 'sent' : 'received';
    const text = Buffer.from(entry.slice(match[0].length)).subarray(0, Number(match[2])).toString();
    const message = readMessage(which, text);
    if (message === undefined) continue;
    const known = messages.get(`${which} ${text}`);
    if (known === undefined) messages.set(`${which} ${text}`, message);
    else known.copies += 1;
  }
  return [...messages.values()];
}

/** Undefined for what is no message, such as a keep-alive. */
function readMessage(which: 'sent' | 'received', text: string): LoggedMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  const [startLine = '', ...lines] = text.slice(0, end < 0 ? undefined : end).split('\r\n');
  if (!/^(\S+ \S+ SIP\/2\.0|SIP\/2\.0 \d{3} .*)$/.test(startLine)) return undefined;
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    return [compactNames[name] ?? name, line.slice(colon + 1).trim()] as const;
  });
  const body = end < 0 ? '' : text.slice(end + 4);
  const status = /^SIP\/2\.0 (\d{3})/.exec(startLine)?.[1];
  const cseq = headers.find(([name]) => name.toLowerCase() === 'cseq')?.[1] ?? '';
  const method = status === undefined ? (startLine.split(' ')[0] ?? '') : (cseq.split(' ')[1] ?? '');
  const kind = status === undefined ? method : `${status} ${method}`;
  return { which, kind, startLine, headers, body, bodyBytes: Buffer.byteLength(body), text, copies: 1 };
}

/** All values of a header. */
export function headersOf(message: LoggedMessage, name: string): string[] {
  return message.headers.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** The only value of a header; '' if there is none. */
export function headerOf(message: LoggedMessage, name: string): string {
  return headersOf(message, name)[0] ?? '';
}

/** Whether it opens a transaction. */
export function isRequest({ startLine }: LoggedMessage): boolean {
  return !startLine.startsWith('SIP/2.0 ');
}
