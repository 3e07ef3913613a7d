// Which signalling instances are gone, and what went with them: their leases are watched, and one whose lease has ended is asked once more
// before its calls count as lost. One that answers has only lost NATS. A process that is new under its name is asked for the calls from
// before it: clocks are set back, and then calls that it has itself look so.
import type { Call, CallsServiceClient, ListCallsResponse } from '@sidestream/proto/calls/v1';
import { callUnary, type Logger, leaseTtlMs } from '@sidestream/service';
import { EndedUnseen } from '../domain/ended-unseen.js';
import { InstanceWatch, type Suspect } from '../domain/instance-watch.js';
import type { KnownCalls } from '../domain/known-calls.js';
import type { Instances } from './instances.js';

export interface LostCall {
  readonly call: Call;
  /** When its instance was gone, as far as is known. */
  readonly at: Date;
}

export interface RollCallOptions {
  readonly signalling: Pick<Instances<CallsServiceClient>, 'leases' | 'clientOf' | 'onRefresh'>;
  readonly known: KnownCalls;
  /** Whether all that has happened is known here, but for what is on its way: while it is not, nothing is judged. */
  readonly isCurrent: () => boolean;
  readonly onLost: (lost: LostCall) => void;
  /** A call has ended, and no event has told. @param at when that was noticed */
  readonly onUnseen: (call: Call, at: Date) => void;
  readonly log: Logger;
  /** How long a lease may be missing; as long as leases last, unless told. */
  readonly graceMs?: number;
  /** Wall clock, in ms. */
  readonly clock?: () => number;
}

const askMs = 3_000;
/** No tenant has this name: its calls are an answer that is always short. */
const nobody = '-';
/** How long, and how many, that are gone or lost are told. */
const keptMs = 3_600_000;
const maxGone = 100;
const maxLost = 500;

export class RollCall {
  readonly #options: RollCallOptions;
  readonly #watch: InstanceWatch;
  readonly #unseen: EndedUnseen;
  readonly #unseenMs: number;
  readonly #clock: () => number;
  readonly #asking = new Set<string>();
  readonly #gone = new Map<string, Date>();
  /** Calls that an instance did not list when it was asked last: it may be that their end is on its way. */
  readonly #unlisted = new Map<string, ReadonlySet<string>>();
  /** Instances that are asked twice what they have, and when for the second time; undefined before the first. */
  readonly #recounts = new Map<string, { readonly dueMs?: number }>();
  #lost: readonly LostCall[] = [];

  constructor(options: RollCallOptions) {
    this.#options = options;
    const { graceMs = leaseTtlMs } = options;
    // After its process a lease may come as late as it lasts, and be read later.
    this.#unseenMs = 2 * graceMs;
    this.#watch = new InstanceWatch({ graceMs });
    this.#unseen = new EndedUnseen(options.known, { graceMs: this.#unseenMs });
    this.#clock = options.clock ?? Date.now;
    options.signalling.onRefresh(() => this.#look());
  }

  /** Instances that are gone and had calls, and since when; those that came back are not among them. */
  get gone(): ReadonlyMap<string, Date> {
    return this.#gone;
  }

  /** The calls of a tenant that were lost of late, the newest first. */
  lost(tenant: string): LostCall[] {
    return this.#lost.filter(({ call }) => call.tenant === tenant).reverse();
  }

  /** Its end has been told, as that of any other call: its instance only seemed to be gone. */
  found(callId: string): void {
    this.#lost = this.#lost.filter(({ call }) => call.callId !== callId);
  }

  /**
   * An instance has answered with all its calls of a tenant, of all with an empty name: those that have ended without a word are over.
   *
   * @returns whether that could be judged
   */
  heard(instance: string, tenant: string, calls: readonly Pick<Call, 'callId'>[]): boolean {
    const { signalling, known, isCurrent, onUnseen, log } = this.#options;
    const sinceMs = signalling.leases.get(instance)?.sinceMs;
    if (sinceMs === undefined || !isCurrent()) return false;
    const callIds = new Set(calls.map(({ callId }) => callId));
    const nowMs = this.#clock();
    const over = this.#unseen.take({ instance, sinceMs, tenant, callIds }, nowMs);
    if (over.length > 0) log.warn({ instance, calls: over.length }, 'calls have ended, and no event has told');
    for (const call of over) {
      known.end(call.callId, call.tenant);
      onUnseen(call, new Date(nowMs));
    }
    return true;
  }

  /** The ends of some calls may never be told, since the stream was lost with them: each instance is asked which calls it still has. */
  recount(): void {
    for (const instance of this.#options.known.instances) this.#recounts.set(instance, {});
  }

  #look(): void {
    const { signalling, known, isCurrent } = this.#options;
    this.#forget();
    for (const id of this.#unlisted.keys()) if (!signalling.leases.has(id)) this.#unlisted.delete(id);
    if (!isCurrent()) return;
    for (const suspect of this.#watch.look(signalling.leases, known.instances, this.#clock()))
      void this.#judge(suspect);
    for (const instance of this.#recounts.keys()) void this.#count(instance);
  }

  async #count(instance: string): Promise<void> {
    const { signalling, known } = this.#options;
    const recount = this.#recounts.get(instance);
    const { dueMs } = recount ?? {};
    if (known.of(instance).length === 0) return void this.#recounts.delete(instance);
    const isDue = dueMs === undefined || this.#clock() >= dueMs;
    // What does not say since when it runs can not be judged.
    if (!isDue || signalling.leases.get(instance)?.sinceMs === undefined || this.#asking.has(instance)) return;
    this.#asking.add(instance);
    const answer = await this.#ask(instance, '').finally(() => this.#asking.delete(instance));
    if (answer === undefined || !this.heard(instance, '', answer.calls)) return;
    // Another recount that was wanted meanwhile begins with its first question.
    if (this.#recounts.get(instance) !== recount) return;
    if (dueMs === undefined) this.#recounts.set(instance, { dueMs: this.#clock() + this.#unseenMs });
    else this.#recounts.delete(instance);
  }

  async #judge(suspect: Suspect): Promise<void> {
    const { instance, before = Number.POSITIVE_INFINITY } = suspect;
    if (this.#asking.has(instance) || this.#callsBefore(instance, before).length === 0) return;
    this.#asking.add(instance);
    try {
      if (suspect.before === undefined) await this.#judgeAbsent(suspect);
      else await this.#judgeAnew(instance, suspect.sinceMs, suspect.before);
    } finally {
      this.#asking.delete(instance);
    }
  }

  async #judgeAbsent({ instance, sinceMs }: Suspect): Promise<void> {
    const answer = await this.#ask(instance, nobody);
    const { signalling, isCurrent } = this.#options;
    // Its lease may have come back meanwhile, NATS gone, or its calls ended well.
    if (answer !== undefined || signalling.leases.has(instance) || !isCurrent()) return;
    const calls = this.#callsBefore(instance, Number.POSITIVE_INFINITY);
    if (calls.length === 0) return;
    this.#gone.set(instance, new Date(sinceMs));
    this.#lose(instance, sinceMs, calls);
  }

  async #judgeAnew(instance: string, sinceMs: number, before: number): Promise<void> {
    const answer = await this.#ask(instance, '');
    if (answer === undefined || !this.#options.isCurrent()) return;
    const listed = new Set(answer.calls.map(({ callId }) => callId));
    const unlisted = this.#callsBefore(instance, before).filter(({ callId }) => !listed.has(callId));
    const again = unlisted.filter(({ callId }) => this.#unlisted.get(instance)?.has(callId));
    this.#unlisted.set(instance, new Set(unlisted.map(({ callId }) => callId)));
    this.#lose(instance, sinceMs, again);
  }

  /** Its calls of a tenant, all with an empty name; undefined where it does not answer. Another one may have got its address. */
  async #ask(instance: string, tenant: string): Promise<ListCallsResponse | undefined> {
    const client = this.#options.signalling.clientOf(instance);
    if (client === undefined) return undefined;
    const request = { tenant, activity: false, countOnly: false };
    const asked = callUnary(client.listCalls.bind(client), request, { deadlineMs: askMs });
    return asked.then(
      (answer) => (answer.instance === instance ? answer : undefined),
      () => undefined,
    );
  }

  #callsBefore(instance: string, before: number): Call[] {
    return this.#options.known.of(instance).filter(({ startedAt }) => (startedAt?.getTime() ?? 0) < before);
  }

  #lose(instance: string, sinceMs: number, calls: readonly Call[]): void {
    const { known, onLost, log } = this.#options;
    if (calls.length === 0) return;
    log.error({ instance, calls: calls.length }, 'an instance is gone, and its calls with it');
    const lost = calls.map((call) => ({ call, at: new Date(sinceMs) }));
    this.#lost = [...this.#lost, ...lost].slice(-maxLost);
    for (const one of lost) {
      known.end(one.call.callId, one.call.tenant);
      onLost(one);
    }
  }

  #forget(): void {
    const sinceMs = this.#clock() - keptMs;
    for (const [instance, at] of this.#gone) {
      const old = at.getTime() < sinceMs || this.#gone.size > maxGone;
      if (old || this.#options.signalling.leases.has(instance)) this.#gone.delete(instance);
    }
    if (this.#lost[0] !== undefined && this.#lost[0].at.getTime() < sinceMs)
      this.#lost = this.#lost.filter(({ at }) => at.getTime() >= sinceMs);
  }
}
