// Which signalling instances are gone, and what went with them: their leases are watched, and one whose lease has ended is asked once more
// before its calls count as lost. One that answers has only lost NATS.
import type { Call, CallsServiceClient } from '@sidestream/proto/calls/v1';
import { callUnary, type Logger, leaseTtlMs } from '@sidestream/service';
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
  readonly #clock: () => number;
  readonly #asking = new Set<string>();
  readonly #gone = new Map<string, Date>();
  #lost: readonly LostCall[] = [];

  constructor(options: RollCallOptions) {
    this.#options = options;
    this.#watch = new InstanceWatch({ graceMs: options.graceMs ?? leaseTtlMs });
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

  #look(): void {
    const { signalling, known, isCurrent } = this.#options;
    this.#forget();
    if (!isCurrent()) return;
    for (const suspect of this.#watch.look(signalling.leases, known.instances, this.#clock()))
      void this.#judge(suspect);
  }

  async #judge({ instance, sinceMs, before }: Suspect): Promise<void> {
    if (before !== undefined) return this.#lose(instance, sinceMs, before);
    if (this.#asking.has(instance)) return;
    this.#asking.add(instance);
    const answers = await this.#answers(instance);
    this.#asking.delete(instance);
    // Its lease may have come back meanwhile.
    if (answers || this.#options.signalling.leases.has(instance)) return;
    this.#gone.set(instance, new Date(sinceMs));
    this.#lose(instance, sinceMs, Number.POSITIVE_INFINITY);
  }

  /** Another one may have got its address. */
  async #answers(instance: string): Promise<boolean> {
    const client = this.#options.signalling.clientOf(instance);
    if (client === undefined) return false;
    const request = { tenant: nobody, activity: false, countOnly: true };
    const asked = callUnary(client.listCalls.bind(client), request, { deadlineMs: askMs });
    return asked.then(
      (answer) => answer.instance === instance,
      () => false,
    );
  }

  #lose(instance: string, sinceMs: number, before: number): void {
    const { known, onLost, log } = this.#options;
    const calls = known.of(instance).filter(({ startedAt }) => (startedAt?.getTime() ?? 0) < before);
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
