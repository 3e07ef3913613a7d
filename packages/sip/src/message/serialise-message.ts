// Message to bytes.
import { malformed } from '../sip-error.js';
import type { SipMessage } from './sip-message.js';

/**
 * The message as it goes on the wire; Content-Length is always that of the body.
 * @throws SipError `malformed` for a start line that would break the framing (a space or line end in method, URI or reason)
 */
export function serialiseMessage(message: SipMessage): Buffer {
  const { body } = message;
  const head = `${startLine(message)}\r\n${message.headers.format(body.length)}\r\n`;
  if (body.length === 0) return Buffer.from(head);
  const headBytes = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(headBytes + body.length);
  bytes.write(head, 0, 'utf8');
  body.copy(bytes, headBytes);
  return bytes;
}

function startLine(message: SipMessage): string {
  if (message.kind === 'request') {
    if (message.method === '' || /\s/.test(message.method)) throw malformed('method: empty or with white space');
    if (message.uri === '' || /[\s<>]/.test(message.uri)) throw malformed('Request-URI: empty, white space or <>');
    return `${message.method} ${message.uri} SIP/2.0`;
  }
  if (/[\r\n]/.test(message.reason)) throw malformed('reason phrase: a line end inside');
  return `SIP/2.0 ${message.status} ${message.reason}`;
}
