// The last calls that are over, as the events of the stream tell them, bounded for each tenant: what a page shows, not what is kept for good.
import { type Decision, Direction, type Event, Result, type Termination } from '@sidestream/proto/events/v1';
import { shownParty } from './call-text.js';

type Body = NonNullable<Event['body']>;

interface RecordingRecord {
  readonly recordingId: string;
  readonly recorder: string;
  readonly durationMs: number;
  readonly gapMs: number;
  readonly termination: Termination | undefined;
}

export interface CallRecord {
  readonly callId: string;
  readonly tenant: string;
  readonly direction: Direction;
  readonly calling: { readonly uri: string; readonly name: string };
  readonly called: { readonly uri: string; readonly name: string };
  readonly decision: Decision | undefined;
  readonly recordings: readonly RecordingRecord[];
  readonly endedAt?: Date;
  readonly durationMs: number;
  readonly termination?: Termination | undefined;
}

const words: Readonly<Record<Result, string>> = {
  [Result.SUCCESS]: 'success',
  [Result.CLIENT_ERROR]: 'client-error',
  [Result.SERVER_ERROR]: 'server-error',
  [Result.UPSTREAM_ERROR]: 'upstream-error',
  [Result.INDETERMINATE]: 'indeterminate',
  [Result.UNSPECIFIED]: 'indeterminate',
  [Result.UNRECOGNIZED]: 'indeterminate',
};

export class EndedCalls {
  readonly #maxLive: number;
  readonly #maxEnded: number;
  readonly #live = new Map<string, CallRecord>();
  /** By tenant, the newest last. */
  readonly #ended = new Map<string, CallRecord[]>();

  /** @param maxEnded for each tenant */
  constructor({ maxLive, maxEnded }: { readonly maxLive: number; readonly maxEnded: number }) {
    this.#maxLive = maxLive;
    this.#maxEnded = maxEnded;
  }

  take(body: Body, time: Date): void {
    switch (body.$case) {
      case 'callStarted':
      case 'callTransferred': {
        const { callId, tenant, direction, decision, calling, called, callingName, calledName } = body.value;
        const recordings = this.#live.get(callId)?.recordings ?? [];
        const parties = { calling: { uri: calling, name: callingName }, called: { uri: called, name: calledName } };
        this.#live.set(callId, { callId, tenant, direction, decision, ...parties, recordings, durationMs: 0 });
        if (this.#live.size > this.#maxLive) this.#live.delete(this.#live.keys().next().value ?? '');
        return;
      }
      case 'recordingStarted':
        return void this.#record(body.value.callId, body.value.recordingId, { recorder: body.value.recorderHost });
      case 'recordingRecovered':
        return void this.#record(body.value.callId, body.value.recordingId, { recorder: body.value.recorderHost });
      case 'recordingFailed': {
        const { callId, recordingId, recorderHost: recorder, termination } = body.value;
        return void this.#record(callId, recordingId, { recorder, termination });
      }
      case 'recordingEnded': {
        const { callId, recordingId, termination, durationMs, gapMs } = body.value;
        return void this.#record(callId, recordingId, { termination, durationMs, gapMs });
      }
      case 'callEnded':
        return void this.#end(body.value.callId, { endedAt: time, ...body.value });
      default:
    }
  }

  /** Of a call that is up, or over for not long. */
  tenantOf(callId: string): string | undefined {
    const isIt = (one: CallRecord) => one.callId === callId;
    return (this.#live.get(callId) ?? [...this.#ended.values()].map((calls) => calls.findLast(isIt)).find(Boolean))
      ?.tenant;
  }

  /** The newest first. @param before only those that ended earlier */
  list(tenant: string, limit: number, before = new Date(8.64e15)): CallRecord[] {
    const all = this.#ended.get(tenant) ?? [];
    return all
      .filter(({ endedAt }) => endedAt !== undefined && endedAt < before)
      .slice(-limit)
      .reverse();
  }

  /** A recording may end just after its call. */
  #record(callId: string, recordingId: string, change: Partial<RecordingRecord>): void {
    const place = this.#placeOf(callId);
    const record = place?.get();
    if (record === undefined) return;
    const none = { recordingId, recorder: '', durationMs: 0, gapMs: 0, termination: undefined };
    const before = record.recordings.find((one) => one.recordingId === recordingId) ?? none;
    const others = record.recordings.filter((one) => one.recordingId !== recordingId);
    place?.set({ ...record, recordings: [...others, { ...before, ...change }] });
  }

  #end(callId: string, change: Pick<CallRecord, 'endedAt' | 'durationMs' | 'termination'>): void {
    const record = this.#live.get(callId);
    if (record === undefined) return;
    this.#live.delete(callId);
    const { endedAt, durationMs, termination } = change;
    const ended = this.#ended.get(record.tenant) ?? [];
    ended.push({ ...record, ...(endedAt && { endedAt }), durationMs, termination });
    if (ended.length > this.#maxEnded) ended.shift();
    this.#ended.set(record.tenant, ended);
  }

  #placeOf(callId: string) {
    const live = this.#live.get(callId);
    if (live !== undefined) return { get: () => live, set: (next: CallRecord) => void this.#live.set(callId, next) };
    for (const list of this.#ended.values()) {
      // Only just now, if at all: the search stays short.
      const index = list.findLastIndex((one, at) => at >= list.length - 100 && one.callId === callId);
      if (index >= 0)
        return {
          get: () => list[index],
          set: (next: CallRecord) => {
            list[index] = next;
          },
        };
    }
    return undefined;
  }
}

/** What the API shows of it. */
export function shownRecord(
  { calling, called, direction, termination, recordings, ...rest }: CallRecord,
  reveal: boolean,
): object {
  return {
    ...rest,
    direction: direction === Direction.OUTBOUND ? 'outbound' : 'inbound',
    calling: shownParty(calling, reveal),
    called: shownParty(called, reveal),
    termination: shownTermination(termination),
    recordings: recordings.map((one) => ({ ...one, termination: shownTermination(one.termination) })),
  };
}

function shownTermination(termination: Termination | undefined): object | undefined {
  return termination && { ...termination, result: words[termination.result] };
}
