// The one error of this package. It names what is wrong and, where a standard says so, the clause; it never carries an
// SDES key or a whole body, because its message goes to logs.

/** Every way in which something this package reads or is asked to write can be wrong. */
export type SiprecErrorCode =
  | 'recorder-name'
  | 'account-id'
  | 'contact'
  | 'uuid'
  | 'metadata-too-large'
  | 'metadata-not-xml'
  | 'metadata-doctype'
  | 'metadata-root'
  | 'metadata-content'
  | 'multipart-type'
  | 'multipart-boundary'
  | 'multipart-too-large'
  | 'multipart-too-many-parts'
  | 'multipart-header'
  | 'offer-address'
  | 'offer-port'
  | 'offer-crypto'
  | 'offer-streams'
  | 'answer-without-sdp'
  | 'answer-not-sdp'
  | 'answer-stream-count'
  | 'answer-media-type'
  | 'answer-not-encrypted'
  | 'answer-crypto-missing'
  | 'answer-crypto-several'
  | 'answer-crypto-tag'
  | 'answer-crypto-suite'
  | 'answer-crypto-key'
  | 'answer-crypto-session-parameter'
  | 'answer-direction'
  | 'answer-codec'
  | 'answer-address'
  | 'answer-port'
  | 'answer-all-refused';

/** Thrown by every function of this package that refuses its input. */
export class SiprecError extends Error {
  override readonly name = 'SiprecError';
  readonly code: SiprecErrorCode;
  /** The clause that is broken, such as `RFC 4568 §5.1.2`. */
  readonly clause: string | undefined;

  constructor(code: SiprecErrorCode, message: string, clause?: string) {
    super(clause === undefined ? message : `${message} (${clause})`);
    this.code = code;
    this.clause = clause;
  }
}

/** A foreign value as it may appear in an error message: quoted, cut to 80 characters, no control characters. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
