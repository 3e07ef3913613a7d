// Why a tenant's policy could not be renewed, as one error with a closed code. The last good policy stays in any case.
import { type ProviderErrorCode, providerErrorCodes } from '@sidestream/conversation-intelligence';

const retryableByCode = {
  /** A file that the configuration names can't be read or used: identities, credentials. */
  'file-unusable': false,
  /** A row of the identities file is bad, and such a file is to be refused. */
  'identities-refused': false,
  /** Users that no policy can be made of. */
  'policy-unusable': false,
  /** The thread that fetches ended: out of memory, or a fault of ours. */
  'fetch-failed': true,
  /** There is no room for the snapshot. */
  'store-full': true,
  /** NATS is away, or another instance wrote meanwhile. */
  'store-unavailable': true,
} as const;

export type SyncErrorCode = ProviderErrorCode | keyof typeof retryableByCode;

/** Every code there is. */
export const syncErrorCodes: readonly SyncErrorCode[] = [
  ...(Object.keys(retryableByCode) as (keyof typeof retryableByCode)[]),
  ...providerErrorCodes,
];

/** `code` for programs, `message` for people. */
export class SyncError extends Error {
  override readonly name = 'SyncError';
  readonly code: SyncErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;

  /** @param details.retryable of a provider's code, which knows it better */
  constructor(
    code: SyncErrorCode,
    message: string,
    details: { retryable?: boolean; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.code = code;
    this.retryable =
      details.retryable ?? (code in retryableByCode && retryableByCode[code as keyof typeof retryableByCode]);
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}
