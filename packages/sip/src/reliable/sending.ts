// Reliable provisional responses at the UAS, RFC 3262 §3: one at a time on the wire, repeated until its PRACK; the next ones
// wait; a 2xx waits for those that carry a session description. Pure: `R` is a response, of which only what matters here is known.
import type { StartTimer, Step, StopTimer } from '../transaction/fsm.js';
import type { TimerValues } from '../transaction/timer-values.js';
import type { RAck } from './rack.js';

/** A response with its number. */
interface Numbered<R> {
  readonly rseq: number;
  readonly response: R;
  readonly hasSession: boolean;
}

export interface ReliableState<R> {
  /** `closed`: a final response is out or on its way; nothing reliable may follow. */
  readonly name: 'open' | 'closed';
  /** CSeq number of the INVITE. */
  readonly cseq: number;
  readonly nextRSeq: number;
  /** On the wire, without its PRACK. It may be acknowledged even after the final response. */
  readonly unacknowledged?: Numbered<R> | undefined;
  readonly intervalMs: number;
  readonly waiting: readonly Numbered<R>[];
  /** A 2xx that waits for PRACKs. */
  readonly held?: R | undefined;
}

export type ReliableTimer = 'repeat' | 'give-up';

export type ReliableEvent<R> =
  | { readonly type: 'send'; readonly response: R; readonly hasSession: boolean }
  | { readonly type: 'final'; readonly status: number; readonly response: R }
  | { readonly type: 'prack'; readonly rack: RAck }
  | { readonly type: 'timer'; readonly timer: ReliableTimer };

export type ReliableEffect<R> =
  /** Send a provisional response: the first time or again. */
  | { readonly type: 'send-provisional'; readonly response: R; readonly rseq: number }
  | { readonly type: 'send-final'; readonly response: R }
  /** Answer the PRACK 2xx. */
  | { readonly type: 'accept-prack' }
  /** Answer the PRACK 481: it acknowledges nothing that waits for it. */
  | { readonly type: 'refuse-prack' }
  /** No PRACK in 64*T1: reject the INVITE with a 5xx. */
  | { readonly type: 'give-up' }
  | StartTimer<ReliableTimer>
  | StopTimer<ReliableTimer>;

type ReliableStep<R> = Step<ReliableState<R>, ReliableEffect<R>>;

/** Responses that may wait behind the one on the wire. */
export const maxWaitingReliable = 8;

/** @param firstRSeq chosen at random within 1 and 2**31 - 1 (§3). */
export function initialReliableState<R>(cseq: number, firstRSeq: number): ReliableState<R> {
  return { name: 'open', cseq, nextRSeq: firstRSeq, intervalMs: 0, waiting: [] };
}

/** Whether a reliable response may be given now: no final response yet, and room to wait. */
export function maySendReliable<R>({ name, waiting }: ReliableState<R>): boolean {
  return name === 'open' && waiting.length < maxWaitingReliable;
}

/** Takes one transition. Events that mean nothing in a state change nothing. */
export function reliableStep<R>(
  state: ReliableState<R>,
  event: ReliableEvent<R>,
  timers: Pick<TimerValues, 't1'>,
): ReliableStep<R> {
  switch (event.type) {
    case 'send':
      return onSend(state, event.response, event.hasSession, timers);
    case 'final':
      return onFinal(state, event.status, event.response);
    case 'prack':
      return onPrack(state, event.rack, timers);
    case 'timer':
      return onTimer(state, event.timer);
  }
}

function onSend<R>(state: ReliableState<R>, response: R, hasSession: boolean, timers: { t1: number }): ReliableStep<R> {
  if (!maySendReliable(state)) return { state, effects: [] };
  const numbered = { rseq: state.nextRSeq, response, hasSession };
  const counted = { ...state, nextRSeq: state.nextRSeq + 1 };
  return state.unacknowledged === undefined
    ? transmit(counted, numbered, timers)
    : { state: { ...counted, waiting: [...state.waiting, numbered] }, effects: [] };
}

function transmit<R>(state: ReliableState<R>, next: Numbered<R>, { t1 }: { t1: number }): ReliableStep<R> {
  return {
    state: { ...state, unacknowledged: next, intervalMs: t1 },
    effects: [
      { type: 'send-provisional', response: next.response, rseq: next.rseq },
      { type: 'start-timer', timer: 'repeat', ms: t1 },
      { type: 'start-timer', timer: 'give-up', ms: 64 * t1 },
    ],
  };
}

function onFinal<R>(state: ReliableState<R>, status: number, response: R): ReliableStep<R> {
  // A held 2xx gives way to a failure, e.g. the 487 of a CANCEL; what is out is final.
  if (state.name === 'closed' && (state.held === undefined || status < 300)) return { state, effects: [] };
  const ahead = state.unacknowledged === undefined ? state.waiting : [state.unacknowledged, ...state.waiting];
  const isHeld = status < 300 && ahead.some(({ hasSession }) => hasSession);
  if (isHeld) return { state: { ...state, name: 'closed', held: response }, effects: [] };
  // What has been sent is no longer repeated, but its PRACK may still come; what waits must not be sent any more.
  return {
    state: { ...state, name: 'closed', waiting: [], held: undefined },
    effects: [...stopTimers, { type: 'send-final', response }],
  };
}

function onPrack<R>(state: ReliableState<R>, rack: RAck, timers: { t1: number }): ReliableStep<R> {
  const { unacknowledged, cseq, waiting, held } = state;
  const matches = rack.rseq === unacknowledged?.rseq && rack.cseq === cseq && rack.method === 'INVITE';
  if (!matches) return { state, effects: [{ type: 'refuse-prack' }] };
  const acknowledged = { ...state, unacknowledged: undefined };
  const effects: ReliableEffect<R>[] = [...stopTimers, { type: 'accept-prack' }];
  const [next, ...rest] = waiting;
  if (next !== undefined && (held === undefined || waiting.some(({ hasSession }) => hasSession))) {
    const sent = transmit({ ...acknowledged, waiting: rest }, next, timers);
    return { state: sent.state, effects: [...effects, ...sent.effects] };
  }
  if (held === undefined) return { state: acknowledged, effects };
  return {
    state: { ...acknowledged, waiting: [], held: undefined },
    effects: [...effects, { type: 'send-final', response: held }],
  };
}

function onTimer<R>(state: ReliableState<R>, timer: ReliableTimer): ReliableStep<R> {
  const { unacknowledged } = state;
  if (unacknowledged === undefined) return { state, effects: [] };
  if (timer === 'give-up') {
    return {
      state: { ...state, name: 'open', unacknowledged: undefined, waiting: [], held: undefined },
      effects: [{ type: 'stop-timer', timer: 'repeat' }, { type: 'give-up' }],
    };
  }
  // §3 doubles without the bound of T2: it is not a request that asks again, but a response.
  const intervalMs = state.intervalMs * 2;
  return {
    state: { ...state, intervalMs },
    effects: [
      { type: 'send-provisional', response: unacknowledged.response, rseq: unacknowledged.rseq },
      { type: 'start-timer', timer: 'repeat', ms: intervalMs },
    ],
  };
}

const stopTimers = [
  { type: 'stop-timer', timer: 'repeat' },
  { type: 'stop-timer', timer: 'give-up' },
] as const;
