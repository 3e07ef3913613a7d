// One tenant's policy from its provider: what the pointer in NATS says is fetched, verified and swapped in; what is unusable never
// replaces what is in use. Nothing here is waited for by a call.
import {
  type Freshness,
  PolicyError,
  type PolicyPointer,
  type PolicySnapshot,
  policyPointer,
  receiveSnapshot,
  type SnapshotOrigin,
} from '@sidestream/policy';
import { type KvValue, type Logger, pause, SidestreamError } from '@sidestream/service';
import type { PolicyTable } from '../domain/policy-table.js';
import type { KeptPolicy, PolicyStore } from './policy-store.js';

/** When a tenant's policy is stale, and what decides then. */
export type StaleRule = Pick<Freshness, 'rule' | 'maxAgeMs'>;

/** What the feeds of all tenants share. */
export interface FeedServices {
  readonly table: Pick<PolicyTable, 'swap' | 'confirm'>;
  readonly store: Pick<PolicyStore, 'read' | 'keep'>;
  /** The chunks of an object; waits for NATS. */
  readonly fetch: (object: string, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** One after the other, so that memory holds one snapshot in the making at most. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly log: Logger;
  /** Milliseconds of the wall clock, and of one that nobody sets. */
  readonly now: () => number;
  readonly steady: () => number;
}

const fetchDeadlineMs = 60_000;
const firstPauseMs = 1_000;
const maxPauseMs = 30_000;
/** policy-sync says more in it than we need: what it found wrong with users and identities. */
const maxPointerBytes = 512 * 1024;
/** A clock that is ahead of ours by more than this is not believed. */
const toleratedSkewMs = 60_000;

export class PolicyFeed {
  readonly #tenant: string;
  readonly #stale: StaleRule;
  readonly #services: FeedServices;
  readonly #closing = new AbortController();
  /** What is in use. */
  #held: KeptPolicy | undefined;
  /** What is being fetched, and how that ends. */
  #wanted: { pointer: PolicyPointer; readonly ending: AbortController } | undefined;
  /** The pointer's latest time as it says it and as we believe it. */
  #checked = { said: '', believed: '', isAhead: false, wallMs: 0, steadyMs: 0 };
  /** The last complaint about the pointer, so that each is made once. */
  #complaint: string | undefined;

  constructor(tenant: string, stale: StaleRule, services: FeedServices) {
    this.#tenant = tenant;
    this.#stale = stale;
    this.#services = services;
  }

  close(): void {
    this.#closing.abort(new Error('closed'));
    this.#stopFetching();
  }

  /** Takes what is kept on disk into use, if there is anything usable. Never rejects. */
  async restore(): Promise<void> {
    const { table, store } = this.#services;
    const began = performance.now();
    const originOf = (pointer: PolicyPointer) => this.#origin(this.#believe(pointer));
    const kept = await store.read(this.#tenant, originOf, this.#closing.signal);
    if (kept === undefined) return;
    this.#held = { pointer: this.#believe(kept.pointer), snapshot: kept.snapshot };
    table.swap(this.#tenant, kept.snapshot, performance.now() - began);
  }

  /** What the bucket holds for this tenant; to hear the same again is harmless. Never throws. */
  hear(value: KvValue | undefined): void {
    if (this.#closing.signal.aborted) return;
    if (value === undefined) {
      this.#stopFetching();
      if (this.#held) this.#complain('the policy is gone from NATS; the last one stays');
      return;
    }
    const said = this.#parse(value.bytes);
    if (said === undefined) return;
    this.#complaint = undefined;
    const pointer = this.#believe(said, value.storedAt);
    if (this.#held && isSameContent(this.#held.pointer, pointer)) {
      this.#stopFetching();
      this.#services.table.confirm(this.#tenant, this.#freshness(pointer));
      this.#hold({ pointer, snapshot: this.#held.snapshot });
    } else if (this.#wanted && isSameContent(this.#wanted.pointer, pointer)) {
      this.#wanted.pointer = pointer;
    } else {
      this.#stopFetching();
      this.#wanted = { pointer, ending: new AbortController() };
      void this.#fetch(this.#wanted);
    }
  }

  #hold(policy: KeptPolicy): void {
    this.#held = policy;
    this.#services.store.keep(this.#tenant, policy);
  }

  #stopFetching(): void {
    this.#wanted?.ending.abort(new Error('not wanted any more'));
    this.#wanted = undefined;
  }

  /** Fetches until it has succeeded or is not wanted any more. */
  async #fetch(wanted: { pointer: PolicyPointer; readonly ending: AbortController }): Promise<void> {
    const { table, inTurn, log } = this.#services;
    const { signal } = wanted.ending;
    let isTold = false;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      const began = performance.now();
      try {
        const snapshot = await inTurn(() => this.#receive(wanted.pointer, signal));
        if (signal.aborted) return;
        // It may have been confirmed again meanwhile.
        table.swap(this.#tenant, snapshot.confirmed(this.#freshness(wanted.pointer)), performance.now() - began);
        this.#hold({ pointer: wanted.pointer, snapshot });
        this.#wanted = undefined;
        return;
      } catch (error) {
        if (signal.aborted) return;
        const { revision, object } = wanted.pointer;
        const facts = { err: error, tenant: this.#tenant, revision, object, kept: this.#held?.pointer.revision };
        const level = isTold ? 'debug' : 'error';
        log[level](facts, 'a policy could not be taken from NATS; the last good one stays');
        isTold = true;
        await pause(pauseMs, signal);
        // What NATS does not deliver is asked for again soon; what it delivers wrong will hardly get better.
        if (error instanceof PolicyError) pauseMs = Math.min(2 * pauseMs, maxPauseMs);
      }
    }
  }

  async #receive(pointer: PolicyPointer, signal: AbortSignal): Promise<PolicySnapshot> {
    signal.throwIfAborted();
    // Not AbortSignal.any(): on Node 20 it lets a time-out signal be collected before it fires.
    const ending = new AbortController();
    const stop = () => ending.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const late = setTimeout(() => {
      ending.abort(new SidestreamError('deadline-exceeded', `not there after ${fetchDeadlineMs / 1_000} s`));
    }, fetchDeadlineMs);
    late.unref();
    try {
      const chunks = this.#services.fetch(pointer.object, ending.signal);
      return await receiveSnapshot(chunks, pointer, this.#origin(pointer), ending.signal);
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
    }
  }

  #parse(bytes: Uint8Array): PolicyPointer | undefined {
    try {
      if (bytes.length > maxPointerBytes) throw new Error(`it has ${bytes.length} bytes`);
      return policyPointer.parse(JSON.parse(new TextDecoder().decode(bytes)));
    } catch (error) {
      this.#complain('the pointer to the policy is not usable; the last good policy stays', error);
      return undefined;
    }
  }

  #complain(message: string, error?: unknown): void {
    const complaint = `${message} ${String(error)}`;
    if (this.#complaint === complaint) return;
    this.#complaint = complaint;
    this.#services.log.error({ err: error, tenant: this.#tenant, kept: this.#held?.pointer.revision }, message);
  }

  /**
   * The pointer with a time of confirmation that is not in the future: a writer whose clock is wrong must not make the policy fresh
   * for ever. Decided once for each time that is said, so that hearing it again does not make it younger; and anew once our own clock
   * was set, since what it made of that time was wrong.
   */
  #believe(said: PolicyPointer, storedAt = new Date(this.#services.now())): PolicyPointer {
    const now = this.#services.now();
    const wasSet =
      Math.abs(now - this.#checked.wallMs - (this.#services.steady() - this.#checked.steadyMs)) > toleratedSkewMs;
    if (this.#checked.said !== said.checkedAt || wasSet) {
      const isAhead = Date.parse(said.checkedAt) > now + toleratedSkewMs;
      const believed = isAhead ? new Date(Math.min(now, storedAt.getTime())).toISOString() : said.checkedAt;
      // Once, not at every poll: either clock may be wrong for long.
      if (isAhead && !this.#checked.isAhead) {
        const facts = { tenant: this.#tenant, checkedAt: said.checkedAt, believed };
        this.#services.log.warn(facts, 'a policy is confirmed in the future by our clock; that is not believed');
      }
      this.#checked = { said: said.checkedAt, believed, isAhead, wallMs: now, steadyMs: this.#services.steady() };
    }
    return { ...said, checkedAt: this.#checked.believed };
  }

  #freshness({ checkedAt }: PolicyPointer): Freshness {
    return { ...this.#stale, checkedAt: new Date(checkedAt) };
  }

  #origin(pointer: PolicyPointer): SnapshotOrigin {
    const { fetchedAt, object } = pointer;
    return { fetchedAt: new Date(fetchedAt), freshness: this.#freshness(pointer), source: object };
  }
}

function isSameContent(one: PolicyPointer, other: PolicyPointer): boolean {
  return one.sha256 === other.sha256 && one.revision === other.revision;
}
