// A world that the tests of the domain steer by hand: a clock that stands still, a provider that answers what it is told, a store in
// memory that can be full.
import type {
  Announcements,
  Basis,
  Clock,
  FetchedPolicy,
  PolicyDetails,
  PolicyStore,
  StoredPolicy,
  Unchanged,
  UserSource,
} from '../domain/ports.js';
import type { SyncError } from '../domain/sync-error.js';

type Answer = FetchedPolicy | Unchanged | SyncError;

export function answer(revision: string, more: Partial<FetchedPolicy> = {}): FetchedPolicy {
  const basis: Basis = { validators: { etag: revision }, recipe: 'r', users: revision };
  const details: PolicyDetails = { basis, unmatched: 0, problems: { count: 0, first: [] } };
  const sha256 = revision.charCodeAt(0).toString(16).padStart(64, '0');
  return { changed: true, bytes: new Uint8Array([1]), sha256, revision, users: 1, details, ...more };
}

export class FakeClock implements Clock {
  #now = Date.parse('2026-01-01T00:00:00Z');
  readonly #sleepers = new Set<{ readonly time: number; wake(): void }>();

  now(): number {
    return this.#now;
  }

  until(time: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = {
        time,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      if (signal.aborted || time <= this.#now) return resolve();
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  /** Lets time pass, and whoever waited for it work. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const due = [...this.#sleepers].filter(({ time }) => time <= end).sort((a, b) => a.time - b.time)[0];
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.time);
      due.wake();
    }
    this.#now = end;
    await settle();
  }
}

/** Everything that is not a matter of time has happened afterwards. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

export class FakeSource implements UserSource {
  /** What comes next; the last answer is given again and again. */
  readonly answers: Answer[] = [];
  readonly asked: (Basis | undefined)[] = [];

  async fetch(_tenant: string, basis: Basis | undefined): Promise<FetchedPolicy | Unchanged> {
    this.asked.push(basis);
    const next = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (next === undefined || next instanceof Error) throw next ?? new Error('no answer');
    return next;
  }
}

export class MemoryStore implements PolicyStore {
  stored: StoredPolicy | undefined;
  /** Thrown by the next write. */
  failure: SyncError | undefined;
  writes: string[] = [];

  async tidy(): Promise<void> {}

  async read(): Promise<StoredPolicy | undefined> {
    return this.stored;
  }

  async replace(
    tenant: string,
    before: StoredPolicy | undefined,
    next: FetchedPolicy,
    at: Date,
  ): Promise<StoredPolicy> {
    const { revision, users, sha256, bytes, details } = next;
    const times = { fetchedAt: at.toISOString(), checkedAt: at.toISOString() };
    const pointer = { version: 1 as const, object: tenant, bytes: bytes.length, revision, users, sha256, ...times };
    return this.#write('replace', { pointer, details, complete: true, sequence: (before?.sequence ?? 0) + 1 });
  }

  async confirm(_: string, before: StoredPolicy, details: PolicyDetails | undefined, at: Date): Promise<StoredPolicy> {
    const pointer = { ...before.pointer, checkedAt: at.toISOString() };
    return this.#write('confirm', { ...before, pointer, details, sequence: before.sequence + 1 });
  }

  #write(what: string, policy: StoredPolicy): StoredPolicy {
    if (this.failure !== undefined) throw this.failure;
    this.writes.push(what);
    this.stored = policy;
    return policy;
  }
}

/** Notes what was said, in one line each. */
export class Notes implements Announcements {
  readonly said: string[] = [];
  readonly outcomes: string[] = [];

  applied(_: string, now: StoredPolicy, before: StoredPolicy | undefined): void {
    this.said.push(`applied ${now.pointer.revision} after ${before?.pointer.revision ?? 'none'}`);
  }

  rejected(_: string, { code }: { code: string }, kept: StoredPolicy | undefined): void {
    this.said.push(`rejected ${code} keeps ${kept?.pointer.revision ?? 'none'}`);
  }

  stale(_: string, { pointer }: StoredPolicy): void {
    this.said.push(`stale ${pointer.revision}`);
  }

  attempted(_: string, outcome: string): void {
    this.outcomes.push(outcome);
  }
}
