// What a failed send means to a transaction.
import { SipError } from '../sip-error.js';

/** The SipError of a failed send, whatever was thrown. */
export function asTransportError(error: unknown): SipError {
  if (error instanceof SipError) return error;
  return new SipError('transport-failed', error instanceof Error ? error.message : 'sending failed', { cause: error });
}
