// Whose a call is, also for events that do not say it, and for a while after its end: a recording may end later than its call.
import type { Event } from '@sidestream/proto/events/v1';

export class CallTenants {
  readonly #maxCalls: number;
  readonly #maxOver: number;
  readonly #live = new Map<string, string>();
  readonly #over = new Map<string, string>();

  /** @param maxOver of calls that are over. Beyond a bound the oldest is forgotten. */
  constructor({ maxCalls, maxOver = 1_000 }: { readonly maxCalls: number; readonly maxOver?: number }) {
    this.#maxCalls = maxCalls;
    this.#maxOver = maxOver;
  }

  take({ $case, value }: NonNullable<Event['body']>): void {
    if (!('callId' in value && 'tenant' in value)) return;
    const { callId, tenant } = value;
    if ($case === 'callStarted') keep(this.#live, callId, tenant, this.#maxCalls);
    if ($case !== 'callEnded') return;
    this.#live.delete(callId);
    keep(this.#over, callId, tenant, this.#maxOver);
  }

  /** Undefined where nobody has said it. */
  tenantOf({ value }: NonNullable<Event['body']>): string | undefined {
    if ('tenant' in value) return value.tenant;
    return 'callId' in value ? (this.#live.get(value.callId) ?? this.#over.get(value.callId)) : undefined;
  }
}

function keep(map: Map<string, string>, callId: string, tenant: string, bound: number): void {
  map.set(callId, tenant);
  if (map.size > bound) map.delete(map.keys().next().value ?? '');
}
