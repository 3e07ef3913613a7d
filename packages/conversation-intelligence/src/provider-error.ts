/** What can go wrong between us and the provider API, as one error with a closed code. */

/** Each code with whether the same call may succeed later without anybody changing anything. */
const retryableByCode = {
  /** Our own options are unusable: a key of the wrong kind, an http: URL. */
  misconfigured: false,
  /** Entra answered and gives no token; the message says what the administrator must do. */
  'entra-refused': false,
  /** Entra can't be reached, is out of order or throttles. */
  'entra-unreachable': true,
  /** The API refused a fresh token, too. */
  unauthorized: false,
  /** The token is good and not enough: admin consent is missing. */
  forbidden: false,
  'not-found': false,
  /** Any other 4xx: what was sent is wrong. */
  rejected: false,
  throttled: true,
  'server-error': true,
  /** DNS, TCP or TLS failed, or the connection broke in the middle of the answer. */
  unreachable: true,
  timeout: true,
  /** An answer that isn't what the API documents, or exceeds a limit. It never counts as a list. */
  'bad-answer': true,
} as const;

export type ProviderErrorCode = keyof typeof retryableByCode;

/** Every code there is. */
export const providerErrorCodes = Object.keys(retryableByCode) as readonly ProviderErrorCode[];

/** `code` for programs, `message` for people: one sentence that says what to do. It holds no token and no secret, nor has it a cause that could. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly code: ProviderErrorCode;
  /** Whether trying again later makes sense without changed configuration. */
  readonly retryable: boolean;
  /** How long the other side asked us to wait, bounded. */
  declare readonly retryAfterMs?: number;
  /** The HTTP status that led here, if one did. */
  declare readonly status?: number;

  constructor(code: ProviderErrorCode, message: string, details: { status?: number; retryAfterMs?: number } = {}) {
    super(message);
    this.code = code;
    this.retryable = retryableByCode[code];
    if (details.status !== undefined) this.status = details.status;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}
