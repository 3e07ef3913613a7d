// What the fetching thread and the others say to each other. Errors lose their class between threads, so they travel as data.
import type { ProviderExchange } from '@sidestream/conversation-intelligence';
import type { SyncedTenant } from '../config.js';
import type { Basis, FetchedPolicy, Unchanged } from '../domain/ports.js';
import { SyncError } from '../domain/sync-error.js';

export interface FetchThreadData {
  readonly tenants: readonly SyncedTenant[];
}

export type FetchRequest =
  | { readonly kind: 'fetch'; readonly id: number; readonly tenant: string; readonly basis: Basis | undefined }
  | { readonly kind: 'abort'; readonly id: number };

/** An exchange with the provider, for measuring. */
export interface FetchExchange {
  readonly exchange: ProviderExchange;
}

/** What the thread says; one line in the log of the process, since lines of two writers could mix. */
export interface FetchNote {
  readonly level: 'debug' | 'info' | 'warn';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type FetchReply = { readonly id: number } & (
  | { readonly fetched: FetchedPolicy | Unchanged }
  | { readonly failure: PlainFailure }
);

type PlainFailure = Pick<SyncError, 'code' | 'message' | 'retryable' | 'retryAfterMs'>;

export function toFailure({ code, message, retryable, retryAfterMs }: SyncError): PlainFailure {
  return { code, message, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

export function fromFailure({ code, message, ...details }: PlainFailure): SyncError {
  return new SyncError(code, message, details);
}
