// Non-INVITE server transaction, RFC 3261 §17.2.2 with the corrections of RFC 4320 §4. Pure: it knows status codes and
// times, no messages or sockets.
import type { FsmContext, Step } from './fsm.js';
import type { ServerEffect, ServerEvent } from './server-fsm.js';
import type { TimerValues } from './timer-values.js';

export interface NonInviteServerState {
  readonly name: 'trying' | 'proceeding' | 'completed' | 'terminated';
}

type NonInviteServerStep = Step<NonInviteServerState, ServerEffect>;

/** The state before the 'start' event. */
export const initialNonInviteServerState: NonInviteServerState = { name: 'trying' };

/**
 * The time a client's timer E takes to be reset to T2, 3.5 s with the default values: after it, not before, an unanswered
 * request is answered 100 (RFC 4320 §4.1).
 */
export function tryingDelay({ t1, t2 }: TimerValues): number {
  let total = 0;
  for (let interval = t1; interval < t2; interval *= 2) total += interval;
  return total;
}

/** Takes one transition. Events that mean nothing in a state change nothing. */
export function nonInviteServerStep(
  state: NonInviteServerState,
  event: ServerEvent,
  { timers, reliable }: FsmContext,
): NonInviteServerStep {
  const stay = { state, effects: [] };
  const waiting = state.name === 'trying' || state.name === 'proceeding';
  switch (event.type) {
    case 'start':
      return { state, effects: [{ type: 'start-timer', timer: 'trying', ms: event.tryingDelayMs }] };
    case 'retransmit':
      return state.name === 'proceeding' || state.name === 'completed'
        ? { state, effects: [{ type: 'resend-response' }] }
        : stay;
    case 'respond':
      if (!waiting) return stay;
      // RFC 4320 §4.1: no provisional response but 100, which this machine sends itself.
      if (event.status < 200) return stay;
      // RFC 4320 §4.2: a 408 would come after the client has given up, and only do harm.
      if (event.status === 408) return { state: { name: 'terminated' }, effects: [] };
      return {
        state: { name: reliable ? 'terminated' : 'completed' },
        effects: [
          { type: 'stop-timer', timer: 'trying' },
          { type: 'send-response' },
          ...(reliable ? [] : [{ type: 'start-timer', timer: 'J', ms: 64 * timers.t1 } as const]),
        ],
      };
    case 'timer':
      if (event.timer === 'trying' && state.name === 'trying') {
        return { state: { name: 'proceeding' }, effects: [{ type: 'send-trying' }] };
      }
      return event.timer === 'J' && state.name === 'completed' ? { state: { name: 'terminated' }, effects: [] } : stay;
    case 'ack':
      return stay;
    case 'transport-error':
      return state.name === 'terminated'
        ? stay
        : { state: { name: 'terminated' }, effects: [{ type: 'inform-transport-error' }] };
  }
}
