// The one error of this package: a closed code that upper layers map to SIP status, gRPC code and termination.
import type { SipResponse } from './message/sip-message.js';

/** Why something in SIP went wrong; closed, so that one table can map every case. */
export type SipErrorCode =
  | 'malformed'
  | 'too-large'
  | 'unsupported-version'
  | 'transport-failed'
  | 'tls-refused'
  | 'timed-out'
  | 'cancelled'
  | 'rejected'
  | 'dialog-gone'
  | 'not-possible';

/** What may be known about a SipError beside its code and message. */
export interface SipErrorOptions {
  /** Response status: to send (400, 501, 505, 513) for bad input, or as received for `rejected`. */
  readonly status?: number;
  /** The final response that refused, for `rejected`. */
  readonly response?: SipResponse;
  readonly cause?: unknown;
}

/** Every failure that leaves this package. */
export class SipError extends Error {
  override readonly name = 'SipError';
  readonly code: SipErrorCode;
  readonly status?: number;
  readonly response?: SipResponse;

  constructor(code: SipErrorCode, message: string, options: SipErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.status !== undefined) this.status = options.status;
    if (options.response !== undefined) this.response = options.response;
  }
}

/** Bad syntax in a received message: a request that has it is answered 400 (RFC 3261 §21.4.1). */
export function malformed(message: string): SipError {
  return new SipError('malformed', message, { status: 400 });
}

/** A message beyond a configured limit: a request is answered 513 (RFC 3261 §21.5.7). */
export function tooLarge(message: string): SipError {
  return new SipError('too-large', message, { status: 513 });
}
