// Non-INVITE client transaction, RFC 3261 §17.1.2. Pure: it knows status codes and times, no messages or sockets.
import type { ClientEffect, ClientEvent } from './client-fsm.js';
import type { FsmContext, Step } from './fsm.js';

export interface NonInviteClientState {
  readonly name: 'trying' | 'proceeding' | 'completed' | 'terminated';
  /** Interval of timer E that runs now, in milliseconds. */
  readonly retransmitMs: number;
}

type NonInviteClientStep = Step<NonInviteClientState, ClientEffect>;

/** The state before the 'start' event. */
export const initialNonInviteClientState: NonInviteClientState = { name: 'trying', retransmitMs: 0 };

/** Takes one transition. Events that mean nothing in a state change nothing. */
export function nonInviteClientStep(
  state: NonInviteClientState,
  event: ClientEvent,
  { timers, reliable }: FsmContext,
): NonInviteClientStep {
  const waiting = state.name === 'trying' || state.name === 'proceeding';
  switch (event.type) {
    case 'start':
      return {
        state: { name: 'trying', retransmitMs: timers.t1 },
        effects: [
          { type: 'send-request' },
          ...(reliable ? [] : [{ type: 'start-timer', timer: 'E', ms: timers.t1 } as const]),
          { type: 'start-timer', timer: 'F', ms: 64 * timers.t1 },
        ],
      };
    case 'response':
      if (!waiting) return { state, effects: [] };
      if (event.status < 200) return { state: { ...state, name: 'proceeding' }, effects: [{ type: 'deliver' }] };
      return {
        state: { ...state, name: reliable ? 'terminated' : 'completed' },
        effects: [
          { type: 'stop-timer', timer: 'E' },
          { type: 'stop-timer', timer: 'F' },
          ...(reliable ? [] : [{ type: 'start-timer', timer: 'K', ms: timers.t4 } as const]),
          { type: 'deliver' },
        ],
      };
    case 'timer':
      if (event.timer === 'E' && waiting) {
        const retransmitMs = state.name === 'trying' ? Math.min(state.retransmitMs * 2, timers.t2) : timers.t2;
        return {
          state: { ...state, retransmitMs },
          effects: [{ type: 'send-request' }, { type: 'start-timer', timer: 'E', ms: retransmitMs }],
        };
      }
      if (event.timer === 'F' && waiting) {
        return { state: { ...state, name: 'terminated' }, effects: [{ type: 'inform-timeout' }] };
      }
      if (event.timer === 'K') return { state: { ...state, name: 'terminated' }, effects: [] };
      return { state, effects: [] };
    case 'transport-error':
      return waiting
        ? { state: { ...state, name: 'terminated' }, effects: [{ type: 'inform-transport-error' }] }
        : { state, effects: [] };
    case 'cancel-sent':
      return { state, effects: [] };
  }
}
