// INVITE server transaction, RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1. Pure: it knows status codes and
// times, no messages, sockets or clocks.
import type { FsmContext, Step } from './fsm.js';
import type { ServerEffect, ServerEvent, ServerTimer } from './server-fsm.js';

export interface InviteServerState {
  readonly name: 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';
  /** True once a response, 100 included, has been sent. */
  readonly answered: boolean;
  /** Interval of timer G that runs now, in milliseconds. */
  readonly retransmitMs: number;
}

type InviteServerStep = Step<InviteServerState, ServerEffect>;

/** The state before the 'start' event. */
export const initialInviteServerState: InviteServerState = { name: 'proceeding', answered: false, retransmitMs: 0 };

/** Takes one transition. Events that mean nothing in a state change nothing. */
export function inviteServerStep(state: InviteServerState, event: ServerEvent, context: FsmContext): InviteServerStep {
  const { timers, reliable } = context;
  const stay = { state, effects: [] };
  switch (event.type) {
    case 'start':
      return event.tryingDelayMs > 0
        ? { state, effects: [{ type: 'start-timer', timer: 'trying', ms: event.tryingDelayMs }] }
        : { state: { ...state, answered: true }, effects: [{ type: 'send-trying' }] };
    case 'retransmit':
      // The 2xx is the user's to repeat, RFC 6026 §7.1; in Confirmed everything is absorbed.
      return (state.name === 'proceeding' && state.answered) || state.name === 'completed'
        ? { state, effects: [{ type: 'resend-response' }] }
        : stay;
    case 'ack':
      if (state.name === 'accepted') return { state, effects: [{ type: 'deliver-ack' }] };
      if (state.name !== 'completed') return stay;
      return {
        state: { ...state, name: reliable ? 'terminated' : 'confirmed' },
        effects: [
          { type: 'stop-timer', timer: 'G' },
          { type: 'stop-timer', timer: 'H' },
          ...(reliable ? [] : [{ type: 'start-timer', timer: 'I', ms: timers.t4 } as const]),
          { type: 'confirm' },
        ],
      };
    case 'respond':
      return onRespond(state, event.status, context);
    case 'timer':
      return onTimer(state, event.timer, context);
    case 'transport-error':
      if (state.name === 'terminated') return stay;
      // RFC 6026 §7.1: the state stays, so that copies of the INVITE are not taken for a new call. On a stream there are no
      // copies, and an unanswered INVITE, for which no timer runs, can be answered no more.
      return {
        state: reliable && state.name === 'proceeding' ? { ...state, name: 'terminated' } : state,
        effects: [{ type: 'inform-transport-error' }],
      };
  }
}

function onRespond(state: InviteServerState, status: number, context: FsmContext): InviteServerStep {
  const { timers, reliable, quiet } = context;
  const accepted = status >= 200 && status < 300;
  if (state.name === 'accepted') return { state, effects: accepted ? [{ type: 'send-response' }] : [] };
  if (state.name !== 'proceeding') return { state, effects: [] };
  const first = [{ type: 'stop-timer', timer: 'trying' }, { type: 'send-response' }] as const;
  if (status < 200) return { state: { ...state, answered: true }, effects: first };
  if (accepted) {
    return {
      state: { ...state, name: 'accepted', answered: true },
      effects: [...first, { type: 'start-timer', timer: 'L', ms: 64 * timers.t1 }],
    };
  }
  // Who has heard nothing yet still repeats its INVITE, and each copy brings the response again.
  const copiesAsk = quiet === true && !state.answered;
  return {
    state: { name: 'completed', answered: true, retransmitMs: timers.t1 },
    effects: [
      ...first,
      ...(reliable || copiesAsk ? [] : [{ type: 'start-timer', timer: 'G', ms: timers.t1 } as const]),
      { type: 'start-timer', timer: 'H', ms: 64 * timers.t1 },
    ],
  };
}

function onTimer(state: InviteServerState, timer: ServerTimer, { timers }: FsmContext): InviteServerStep {
  const stay = { state, effects: [] };
  const terminated: InviteServerState = { ...state, name: 'terminated' };
  switch (timer) {
    case 'trying':
      return state.name === 'proceeding' && !state.answered
        ? { state: { ...state, answered: true }, effects: [{ type: 'send-trying' }] }
        : stay;
    case 'G': {
      if (state.name !== 'completed') return stay;
      const retransmitMs = Math.min(state.retransmitMs * 2, timers.t2);
      return {
        state: { ...state, retransmitMs },
        effects: [{ type: 'resend-response' }, { type: 'start-timer', timer: 'G', ms: retransmitMs }],
      };
    }
    case 'H':
      return state.name === 'completed' ? { state: terminated, effects: [{ type: 'inform-timeout' }] } : stay;
    case 'I':
      return state.name === 'confirmed' ? { state: terminated, effects: [] } : stay;
    case 'L':
      return state.name === 'accepted' ? { state: terminated, effects: [] } : stay;
    case 'J':
      return stay;
  }
}
