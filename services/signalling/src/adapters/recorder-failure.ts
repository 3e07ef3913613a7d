// What a failure at a recorder says: of the recorder's health, and to the call as a termination. One table each.
import { SidestreamError } from '@sidestream/service';
import { SipError } from '@sidestream/sip';
import type { FailureProof } from '../domain/recorder-breaker.js';

/** Why a recorder failed; a metric label. */
export type FailureClass =
  | 'unreachable'
  | 'tls-refused'
  | 'timed-out'
  | 'unavailable'
  | 'unauthorized'
  | 'refused'
  | 'unusable';

export interface RecorderFailure {
  readonly class: FailureClass;
  readonly proof: FailureProof;
  /** Trying again will not help before someone mends it. */
  readonly definite: boolean;
  readonly retryAfterMs?: number;
  /** For people. */
  readonly text: string;
}

/** What an error says of the recorder's health; undefined: nothing. */
export function failureOf(error: unknown): RecorderFailure | undefined {
  if (!(error instanceof SipError)) return undefined;
  const text = error.message;
  switch (error.code) {
    case 'transport-failed':
      return { class: 'unreachable', proof: 'link', definite: false, text };
    case 'tls-refused':
      return { class: 'tls-refused', proof: 'link', definite: true, text };
    case 'timed-out':
      return { class: 'timed-out', proof: 'invite', definite: false, text };
    case 'rejected':
      return { ...refusal(error.status ?? 0), ...restOf(error), text };
    case 'malformed':
    case 'unsupported-version':
    case 'too-large':
      return { class: 'refused', proof: 'invite', definite: false, text };
    // We gave up, or had no room.
    case 'cancelled':
    case 'dialog-gone':
    case 'not-possible':
      return undefined;
    default:
      return unreachable(error.code);
  }
}

/** Milliseconds that a Retry-After header field asks for (RFC 3261 §20.33). */
export function retryAfterMs(value: string | undefined): number | undefined {
  const seconds = /^\s*(\d{1,9})(?!\d)/.exec(value ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

/** The failure in the words of a termination. */
export function recorderError(host: string, error: unknown): SidestreamError {
  if (!(error instanceof SipError)) return SidestreamError.from(error);
  const text = `recorder ${host}: ${error.message}`;
  switch (error.code) {
    case 'cancelled':
      return new SidestreamError('cancelled', text, { cause: error });
    case 'rejected':
    case 'malformed':
    case 'unsupported-version':
    case 'too-large':
      return new SidestreamError('recorder-refused', text, { cause: error });
    case 'timed-out':
    case 'transport-failed':
    case 'tls-refused':
    case 'dialog-gone':
    case 'not-possible':
      return new SidestreamError('recorder-unreachable', text, { cause: error });
    default:
      return unreachable(error.code);
  }
}

function refusal(status: number): Pick<RecorderFailure, 'class' | 'proof' | 'definite'> {
  switch (status) {
    case 401:
    case 403:
    case 407:
      return { class: 'unauthorized', proof: 'invite', definite: true };
    case 408:
    case 504:
      return { class: 'timed-out', proof: 'invite', definite: false };
    case 500:
    case 502:
    case 503:
      return { class: 'unavailable', proof: 'invite', definite: false };
    default:
      return { class: 'refused', proof: 'invite', definite: false };
  }
}

function restOf({ response }: SipError): { retryAfterMs?: number } {
  const ms = retryAfterMs(response?.headers.get('retry-after'));
  return ms === undefined ? {} : { retryAfterMs: ms };
}

function unreachable(code: never): never {
  throw new TypeError(`unknown SIP error code ${String(code)}`);
}
