// INVITE client transaction, RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2. Pure: it knows status codes and
// times, no messages, sockets or clocks.
import type { ClientEffect, ClientEvent, ClientTimer } from './client-fsm.js';
import type { FsmContext, Step } from './fsm.js';

export interface InviteClientState {
  readonly name: 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';
  /** Interval of timer A that runs now, in milliseconds. */
  readonly retransmitMs: number;
}

type InviteClientStep = Step<InviteClientState, ClientEffect>;

/** The state before the 'start' event. */
export const initialInviteClientState: InviteClientState = { name: 'calling', retransmitMs: 0 };

/** Takes one transition. Events that mean nothing in a state change nothing. */
export function inviteClientStep(
  state: InviteClientState,
  event: ClientEvent,
  { timers, reliable }: FsmContext,
): InviteClientStep {
  switch (event.type) {
    case 'start':
      return {
        state: { name: 'calling', retransmitMs: timers.t1 },
        effects: [
          { type: 'send-request' },
          ...(reliable ? [] : [{ type: 'start-timer', timer: 'A', ms: timers.t1 } as const]),
          { type: 'start-timer', timer: 'B', ms: 64 * timers.t1 },
        ],
      };
    case 'response':
      return onResponse(state, event.status, { timers, reliable });
    case 'timer':
      return onTimer(state, event.timer);
    case 'cancel-sent':
      // RFC 3261 §9.1: without a final response within 64*T1 of the CANCEL the transaction is taken as cancelled.
      return state.name === 'proceeding'
        ? { state, effects: [{ type: 'start-timer', timer: 'B', ms: 64 * timers.t1 }] }
        : { state, effects: [] };
    case 'transport-error':
      // In Accepted the ACK is the user's affair, and a lost connection must not lose the other forks' 2xx.
      return state.name === 'accepted' || state.name === 'terminated'
        ? { state, effects: [] }
        : { state: { ...state, name: 'terminated' }, effects: [{ type: 'inform-transport-error' }] };
  }
}

function onResponse(state: InviteClientState, status: number, { timers, reliable }: FsmContext): InviteClientStep {
  const stop = [
    { type: 'stop-timer', timer: 'A' },
    { type: 'stop-timer', timer: 'B' },
  ] as const;
  switch (state.name) {
    case 'calling':
    case 'proceeding':
      if (status < 200) {
        // Timer B of a CANCEL that is already out goes on in Proceeding.
        const effects = state.name === 'calling' ? stop : [];
        return { state: { ...state, name: 'proceeding' }, effects: [...effects, { type: 'deliver' }] };
      }
      if (status < 300) {
        return {
          state: { ...state, name: 'accepted' },
          effects: [...stop, { type: 'start-timer', timer: 'M', ms: 64 * timers.t1 }, { type: 'deliver' }],
        };
      }
      if (reliable) {
        return {
          state: { ...state, name: 'terminated' },
          effects: [...stop, { type: 'send-ack' }, { type: 'deliver' }],
        };
      }
      // RFC 3261 §17.1.1.2: at least 32 seconds, because the T1 of the server is not known.
      return {
        state: { ...state, name: 'completed' },
        effects: [
          ...stop,
          { type: 'send-ack' },
          { type: 'start-timer', timer: 'D', ms: Math.max(32_000, 64 * timers.t1) },
          { type: 'deliver' },
        ],
      };
    case 'completed':
      return { state, effects: status >= 300 ? [{ type: 'send-ack' }] : [] };
    case 'accepted':
      return { state, effects: status >= 200 && status < 300 ? [{ type: 'deliver' }] : [] };
    case 'terminated':
      return { state, effects: [] };
  }
}

function onTimer(state: InviteClientState, timer: ClientTimer): InviteClientStep {
  if (timer === 'A' && state.name === 'calling') {
    const retransmitMs = state.retransmitMs * 2;
    return {
      state: { ...state, retransmitMs },
      effects: [{ type: 'send-request' }, { type: 'start-timer', timer: 'A', ms: retransmitMs }],
    };
  }
  if (timer === 'B' && (state.name === 'calling' || state.name === 'proceeding')) {
    return { state: { ...state, name: 'terminated' }, effects: [{ type: 'inform-timeout' }] };
  }
  if ((timer === 'D' && state.name === 'completed') || (timer === 'M' && state.name === 'accepted')) {
    return { state: { ...state, name: 'terminated' }, effects: [] };
  }
  return { state, effects: [] };
}
