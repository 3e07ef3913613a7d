// The response that a UAS gives to a request (RFC 3261 §8.2.6).
import { SipError } from '../sip-error.js';
import { Headers } from './headers.js';
import { type SipRequest, SipResponse } from './sip-message.js';

/** What createResponse adds to the copied headers. */
export interface ResponseOptions {
  readonly reason?: string | undefined;
  /** Tag for To, if the request has none there; never added to a 100. */
  readonly toTag?: string | undefined;
  /** Appended after the copied headers. */
  readonly headers?: Headers | undefined;
  readonly body?: Buffer | undefined;
}

const dialogCreating = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY']);

/**
 * A response with Via, From, To, Call-ID and CSeq of the request (RFC 3261 §8.2.6.2), Timestamp for a 100 (§8.2.6.1) and
 * Record-Route for a status of 101 to 299 that may create a dialog (§12.1.1).
 */
export function createResponse(request: SipRequest, status: number, options: ResponseOptions = {}): SipResponse {
  const headers = new Headers();
  const copy = (name: string): void => {
    for (const value of request.headers.all(name)) headers.append(name, value);
  };
  copy('Via');
  if (status > 100 && status < 300 && dialogCreating.has(request.method)) copy('Record-Route');
  copy('From');
  const to = request.headers.get('To');
  if (to !== undefined) headers.append('To', withTag(request, to, status > 100 ? options.toTag : undefined));
  copy('Call-ID');
  copy('CSeq');
  if (status === 100) copy('Timestamp');
  for (const [name, value] of options.headers ?? []) headers.append(name, value);
  return new SipResponse({ status, reason: options.reason, headers, body: options.body });
}

function withTag(request: SipRequest, to: string, tag: string | undefined): string {
  if (tag === undefined) return to;
  try {
    return request.to.parameters.has('tag') ? to : `${to};tag=${tag}`;
  } catch (error) {
    // A salvaged request may have a bad To, which goes back as it came (RFC 3261 §8.2.6.2 wants it equal).
    if (error instanceof SipError) return to;
    throw error;
  }
}
