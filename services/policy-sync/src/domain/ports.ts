// What the domain needs of the world, in its own words.
import type { Validators } from '@sidestream/conversation-intelligence';
import type { PolicyPointer, Problems } from '@sidestream/policy';
import type { SyncErrorCode } from './sync-error.js';

/** What an answer of the provider was made from; "unchanged" means anything only together with it. */
export interface Basis {
  /** As the provider gave them; empty when it gave none. */
  readonly validators: Validators;
  /** Digest of all else that goes into a policy: whom we ask, the identities file, the settings. */
  readonly recipe: string;
  /** Digest of the users as they were listed: the same list needs no new policy, though no validator says so. */
  readonly users: string;
}

/** What is worth knowing about a policy besides its content. */
export interface PolicyDetails {
  readonly basis: Basis;
  /** Users without any number or address. */
  readonly unmatched: number;
  readonly problems: Problems;
}

/** An answer of the provider, made into a policy. */
export interface FetchedPolicy {
  readonly changed: true;
  /** The snapshot. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  readonly revision: string;
  readonly users: number;
  readonly details: PolicyDetails;
  readonly maxAgeMs?: number | undefined;
}

/** The provider confirms what was asked about. */
export interface Unchanged {
  readonly changed: false;
  /** What to ask with the next time, when that is something else. */
  readonly basis?: Basis;
  readonly maxAgeMs?: number | undefined;
}

export interface UserSource {
  /**
   * Asks the provider for the tenant's users and makes a policy of them.
   * @param basis of the policy that we have; without it the answer is never "unchanged"
   * @throws SyncError; the signal's reason
   */
  fetch(tenant: string, basis: Basis | undefined, signal: AbortSignal): Promise<FetchedPolicy | Unchanged>;
}

/** A tenant's policy as it is kept where every instance finds it. */
export interface StoredPolicy {
  readonly pointer: PolicyPointer;
  readonly details: PolicyDetails | undefined;
  /** Whether the snapshot is there, too. */
  readonly complete: boolean;
  /** Of the stored pointer: nobody writes over what it has not seen. */
  readonly sequence: number;
}

/** Every method throws SyncError `store-full` or `store-unavailable`, or the signal's reason. */
export interface PolicyStore {
  /** Removes what an instance that died has left half done. To be called before anything is written. */
  tidy(signal: AbortSignal): Promise<void>;
  read(tenant: string, signal: AbortSignal): Promise<StoredPolicy | undefined>;
  /** Keeps new content, then has the pointer name it. The snapshot before stays for those who are reading it. */
  replace(
    tenant: string,
    before: StoredPolicy | undefined,
    next: FetchedPolicy,
    at: Date,
    signal: AbortSignal,
  ): Promise<StoredPolicy>;
  /** The content is as it was. Fails when the snapshot is no longer there. */
  confirm(
    tenant: string,
    before: StoredPolicy,
    details: PolicyDetails | undefined,
    at: Date,
    signal: AbortSignal,
  ): Promise<StoredPolicy>;
}

/** Tells the world; never throws, is never awaited. */
export interface Announcements {
  applied(tenant: string, now: StoredPolicy, before: StoredPolicy | undefined): void;
  /** Said once per kind of failure, until a success. */
  rejected(tenant: string, failure: Failure, kept: StoredPolicy | undefined): void;
  /** The stale rule decides from now on; said once, until the policy is confirmed again. */
  stale(tenant: string, policy: StoredPolicy): void;
  /** Every attempt, for the metrics. */
  attempted(tenant: string, outcome: 'applied' | 'confirmed' | SyncErrorCode, durationMs: number): void;
}

export interface Failure {
  readonly code: SyncErrorCode;
  readonly message: string;
  readonly at: Date;
}

export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Resolves at that time, or at once when the signal aborts. */
  until(time: number, signal: AbortSignal): Promise<void>;
}
