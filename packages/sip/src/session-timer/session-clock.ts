// The life of a session timer in a dialog, RFC 4028 §10: when to refresh, what becomes of a refresh that fails, when the
// session is over. Pure: (state, event, now) → (state, effects).
import type { StartTimer, Step, StopTimer } from '../transaction/fsm.js';
import { type SessionTimer, sessionInRequest } from './negotiation.js';
import { minSessionSeconds, type SessionExpires } from './session-expires.js';

export interface SessionClockState {
  readonly timer?: SessionTimer | undefined;
  /** The largest Min-SE heard in the dialog, §7.4. */
  readonly minSe: number;
  /** When the session is over unless a 2xx comes, in ms of the clock. */
  readonly expiresAt: number;
  /** Status of the last refresh that was refused since the last 2xx. */
  readonly refused?: number | undefined;
}

export type SessionClockTimer = 'refresh' | 'expire';

export type SessionClockEvent =
  /** A 2xx to a session refresh request of either side, with the timer that it sets, if any. */
  | { readonly type: 'agreed'; readonly timer: SessionTimer | undefined }
  /** A Min-SE in a request of the peer or a 422. */
  | { readonly type: 'min-se'; readonly seconds: number }
  /**
   * A refresh was refused, or could not be sent (491: another INVITE is under way). `retryMs`: how long to wait where the
   * status has a rule of its own for that (491: RFC 3261 §14.1; Retry-After).
   */
  | { readonly type: 'refused'; readonly status: number; readonly retryMs?: number | undefined }
  | { readonly type: 'timer'; readonly timer: SessionClockTimer };

export type SessionClockEffect =
  /** Send a session refresh request with these headers; `minSe` only where it must be there (§7.4). */
  | { readonly type: 'refresh'; readonly sessionExpires: SessionExpires; readonly minSe?: number | undefined }
  /** Send BYE: the session has expired, or the peer is gone. */
  | { readonly type: 'end' }
  | StartTimer<SessionClockTimer>
  | StopTimer<SessionClockTimer>;

/** Longer than this no clock can wait (2^31 - 1 ms, 24 days): who asks for more is refreshed more often, or given up sooner. */
const longestMs = 2 ** 31 - 1;

type SessionClockStep = Step<SessionClockState, SessionClockEffect>;

export const initialSessionClock: SessionClockState = { minSe: 0, expiresAt: 0 };

/** Takes one transition. @param now ms of the clock. */
export function sessionClockStep(state: SessionClockState, event: SessionClockEvent, now: number): SessionClockStep {
  switch (event.type) {
    case 'agreed':
      return onAgreed(state, event.timer, now);
    case 'min-se':
      return { state: { ...state, minSe: Math.max(state.minSe, event.seconds) }, effects: [] };
    case 'refused':
      return onRefused(state, event.status, event.retryMs, now);
    case 'timer':
      if (state.timer === undefined) return { state, effects: [] };
      return event.timer === 'refresh' ? { state, effects: [refresh(state)] } : end(state);
  }
}

/** Headers of a session refresh request that is sent for whatever purpose; undefined without a session timer. */
export function sessionRefreshHeaders(
  state: SessionClockState,
): { readonly sessionExpires: SessionExpires; readonly minSe?: number | undefined } | undefined {
  const { timer, minSe } = state;
  if (timer === undefined) return undefined;
  return { sessionExpires: sessionInRequest(timer, minSe), minSe: minSe === 0 ? undefined : minSe };
}

function onAgreed(state: SessionClockState, timer: SessionTimer | undefined, now: number): SessionClockStep {
  if (timer === undefined) return { state: { ...state, timer, refused: undefined }, effects: [...stopBoth] };
  const ms = Math.min(timer.seconds * 1_000, longestMs);
  // §10: the side that waits hangs up slightly before the end, as firewalls close then.
  const patience = timer.weRefresh ? ms : ms - Math.min(32_000, ms / 3);
  return {
    state: { ...state, timer, expiresAt: now + ms, refused: undefined },
    effects: [
      ...stopBoth,
      ...(timer.weRefresh ? [{ type: 'start-timer', timer: 'refresh', ms: ms / 2 } as const] : []),
      { type: 'start-timer', timer: 'expire', ms: patience },
    ],
  };
}

function onRefused(
  state: SessionClockState,
  status: number,
  retryMs: number | undefined,
  now: number,
): SessionClockStep {
  const { timer, refused, expiresAt } = state;
  if (timer === undefined) return { state, effects: [] };
  // §10, RFC 3261 §12.2.1.2: the peer is gone or knows nothing of the dialog.
  if (status === 408 || status === 481) return end(state);
  const isRepeated = refused === status;
  const next = { ...state, refused: status };
  // A 422 has brought its Min-SE before; what was asked then is larger now.
  if (status === 422 && !isRepeated) return { state: next, effects: [refresh(next)] };
  // §10: no endless repeats of what is refused in the same way. A collision is no refusal.
  if (isRepeated && status !== 491) return { state: next, effects: [] };
  const ms = retryMs ?? Math.max(0, (expiresAt - now) / 2);
  return { state: next, effects: [{ type: 'start-timer', timer: 'refresh', ms }] };
}

function refresh(state: SessionClockState): SessionClockEffect {
  return { type: 'refresh', sessionExpires: { seconds: minSessionSeconds }, ...sessionRefreshHeaders(state) };
}

function end(state: SessionClockState): SessionClockStep {
  return { state: { ...state, timer: undefined }, effects: [...stopBoth, { type: 'end' }] };
}

const stopBoth = [
  { type: 'stop-timer', timer: 'refresh' },
  { type: 'stop-timer', timer: 'expire' },
] as const;
