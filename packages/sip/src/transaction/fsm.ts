// What the four transaction machines have in common: the shape of a step, and the little that turns a pure step function
// into something that has a present state.
import type { TimerValues } from './timer-values.js';

/** What a state machine needs to know of its surroundings. */
export interface FsmContext {
  readonly timers: TimerValues;
  /** True on TCP and TLS: nothing is retransmitted and no time is spent absorbing copies. */
  readonly reliable: boolean;
  /** See Reception; only servers know it. */
  readonly quiet?: boolean;
}

/** A step of a state machine: the state after it and what has to be done, in this order. */
export interface Step<State, Effect> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** Effect: (re)start a timer. A timer of 0 ms is never started; the machine takes its transition at once. */
export interface StartTimer<Timer extends string> {
  readonly type: 'start-timer';
  readonly timer: Timer;
  readonly ms: number;
}

/** Effect: stop a timer, running or not. */
export interface StopTimer<Timer extends string> {
  readonly type: 'stop-timer';
  readonly timer: Timer;
}

/** A machine with its present state. */
export interface Machine<Name extends string, Event, Effect> {
  readonly name: Name;
  /** Takes one transition and returns what has to be done. */
  dispatch(event: Event): readonly Effect[];
}

/** Gives a pure step function a present state. */
export function runMachine<State extends { readonly name: string }, Event, Effect>(
  initial: State,
  step: (state: State, event: Event, context: FsmContext) => Step<State, Effect>,
  context: FsmContext,
): Machine<State['name'], Event, Effect> {
  let state = initial;
  return {
    get name(): State['name'] {
      return state.name;
    },
    dispatch(event) {
      const next = step(state, event, context);
      state = next.state;
      return next.effects;
    },
  };
}
