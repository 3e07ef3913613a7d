// What the events alone tell of live calls: whose they are, which instance has them, who takes part. It is all that is left of a call whose
// instance does not answer, and it says which calls went with an instance that is gone.
import type { Call, Recording } from '@sidestream/proto/calls/v1';
import type { Event } from '@sidestream/proto/events/v1';

type Body = NonNullable<Event['body']>;

export interface KnownCallsOptions {
  readonly maxCalls: number;
  /** Of calls that are over: a recording may end later than its call. */
  readonly maxOver?: number;
}

/** As long as the longest call may last: one whose end was lost goes then. */
const longestCallMs = 7 * 86_400_000;

export class KnownCalls {
  readonly #maxCalls: number;
  readonly #maxOver: number;
  readonly #live = new Map<string, Call>();
  readonly #byInstance = new Map<string, Set<string>>();
  /** Tenants of calls that are over. */
  readonly #over = new Map<string, string>();

  /** Beyond a bound, of number or age, the oldest is forgotten. */
  constructor({ maxCalls, maxOver = 1_000 }: KnownCallsOptions) {
    this.#maxCalls = maxCalls;
    this.#maxOver = maxOver;
  }

  /** The instances that have live calls. */
  get instances(): readonly string[] {
    return [...this.#byInstance.keys()];
  }

  /** The live calls of an instance, the oldest first. */
  of(instance: string): Call[] {
    return [...(this.#byInstance.get(instance) ?? [])].flatMap((callId) => this.#live.get(callId) ?? []);
  }

  call(callId: string): Call | undefined {
    return this.#live.get(callId);
  }

  /** @param source of the event: `signalling.<instance>` for those of calls */
  take({ body, source, time }: Pick<Event, 'body' | 'source' | 'time'>): void {
    if (body === undefined) return;
    if (body.$case === 'callStarted') return void this.#begin(begun(body.value, source, time));
    if (body.$case === 'callEnded') return void this.end(body.value.callId, body.value.tenant);
    const call = 'callId' in body.value ? this.#live.get(body.value.callId) : undefined;
    if (call !== undefined) this.#live.set(call.callId, changed(call, body, time));
  }

  /** It is over, or lost. */
  end(callId: string, tenant: string): void {
    const call = this.#live.get(callId);
    this.#live.delete(callId);
    const others = call && this.#byInstance.get(call.instance);
    others?.delete(callId);
    if (call !== undefined && others?.size === 0) this.#byInstance.delete(call.instance);
    this.#over.set(callId, tenant);
    if (this.#over.size > this.#maxOver) this.#over.delete(this.#over.keys().next().value ?? '');
  }

  /** Whose an event is; undefined where nobody has said it. */
  tenantOf({ value }: Body): string | undefined {
    if ('tenant' in value) return value.tenant;
    return 'callId' in value ? (this.#live.get(value.callId)?.tenant ?? this.#over.get(value.callId)) : undefined;
  }

  #begin(call: Call): void {
    this.#live.set(call.callId, call);
    const others = this.#byInstance.get(call.instance) ?? new Set();
    this.#byInstance.set(call.instance, others.add(call.callId));
    const forgottenMs = (call.startedAt?.getTime() ?? 0) - longestCallMs;
    for (const { callId, tenant, startedAt } of this.#live.values()) {
      if (this.#live.size <= this.#maxCalls && (startedAt?.getTime() ?? 0) >= forgottenMs) break;
      this.end(callId, tenant);
    }
  }
}

function begun(
  { calling, callingName, called, calledName, ...call }: Extract<Body, { $case: 'callStarted' }>['value'],
  source: string,
  startedAt: Date | undefined,
): Call {
  return {
    ...call,
    instance: source.replace(/^signalling\./, ''),
    phase: 'dialling',
    startedAt,
    answeredAt: undefined,
    calling: { uri: calling, name: callingName },
    called: { uri: called, name: calledName },
    recordings: [],
    voices: [],
  };
}

function changed(call: Call, body: Body, time: Date | undefined): Call {
  switch (body.$case) {
    case 'callAnswered': {
      const { seller, decision } = body.value;
      return { ...call, phase: 'talking', answeredAt: time, seller, decision };
    }
    case 'callTransferred': {
      const { direction, seller, calling, callingName, called, calledName } = body.value;
      const parties = { calling: { uri: calling, name: callingName }, called: { uri: called, name: calledName } };
      return { ...call, direction, seller, ...parties, decision: body.value.decision ?? call.decision };
    }
    case 'recordingStarted':
    case 'recordingRecovered': {
      const { recordingId, recorderCallId, recorderHost } = body.value;
      return recorded(call, recordingId, { phase: 'active', recorderCallId, recorder: recorderHost });
    }
    case 'recordingDelayed':
      return recorded(call, body.value.recordingId, { phase: 'waiting', recorder: body.value.recorderHost });
    case 'recordingPaused':
      return recorded(call, body.value.recordingId, { phase: 'paused' });
    case 'recordingResumed':
      return recorded(call, body.value.recordingId, { phase: 'active' });
    case 'recordingFailed':
    case 'recordingEnded':
      return recorded(call, body.value.recordingId, { phase: 'ended' });
    case 'recordingMissing':
      return { ...call, missing: { reason: body.value.reason, since: body.value.since } };
    case 'recordingFound':
      return { ...call, missing: undefined };
    default:
      return call;
  }
}

function recorded(call: Call, recordingId: string, change: Partial<Recording>): Call {
  const before = call.recordings.find((one) => one.recordingId === recordingId);
  const now = {
    recorderCallId: '',
    phase: '',
    recorder: '',
    pausedBy: [],
    voices: [],
    ...before,
    ...change,
    recordingId,
  };
  const recordings = before ? call.recordings.map((one) => (one === before ? now : one)) : [...call.recordings, now];
  return { ...call, recordings };
}
