// The life of one recording as a pure function: (state, event) → (state, effects). It knows no SIPREC, no relay, no timer. Whatever
// the order of events it reaches `ended` with one termination, having given back the fork and the dialog exactly once.
import { Result } from '@sidestream/proto/events/v1';
import type { Termination } from './termination.js';

export type RecordingPhase =
  | 'new'
  /** The relay prepares the fork for recorder number `candidate`. */
  | 'forking'
  /** INVITE is on its way to recorder number `candidate`. */
  | 'inviting'
  /** The recorder's answer was usable; the relay is told. */
  | 'connecting'
  | 'active'
  /** Stopped while a step of the start was in flight: the step's outcome decides what there is to give back. */
  | 'stopping-while-starting'
  /** BYE and fork stop are under way. */
  | 'stopping'
  | 'ended';

export interface RecordingState {
  readonly phase: RecordingPhase;
  readonly candidate: number;
  readonly candidates: number;
  readonly fork: 'none' | 'starting' | 'up';
  readonly dialog: 'none' | 'inviting' | 'up' | 'over';
  /** Media flows or flowed: the recording counts as started. */
  readonly started: boolean;
  /** Set once, by the first end; only a success may still turn out to be none. */
  readonly termination?: Termination;
}

export type RecordingEvent =
  | { type: 'start' }
  | { type: 'fork-started' }
  | { type: 'fork-failed'; termination: Termination }
  /** The recorder answered 2xx and the answer is usable. */
  | { type: 'accepted' }
  /** The recorder answered 2xx with an answer that must not reach the relay; the dialog is up. */
  | { type: 'answer-unusable'; termination: Termination }
  | { type: 'refused'; termination: Termination }
  | { type: 'connected' }
  | { type: 'connect-failed'; termination: Termination }
  | { type: 'dialog-over'; termination: Termination }
  /** A later offer failed for good: what flows is not what was agreed. */
  | { type: 'failed'; termination: Termination }
  | { type: 'stop'; termination: Termination }
  /** `unconfirmed`: the recorder did not confirm the BYE that was to end the recording. */
  | { type: 'released'; unconfirmed?: Termination };

export type RecordingEffect =
  | { type: 'start-fork'; candidate: number }
  | { type: 'invite'; candidate: number }
  /** Abort the step in flight; its outcome is still reported. */
  | { type: 'abort-start' }
  | { type: 'connect' }
  | { type: 'announce-start' }
  /** This recorder is given up: its dialog, if there is one, gets BYE. */
  | { type: 'give-up'; candidate: number; bye: boolean; termination: Termination }
  /** Stop the fork of a recorder that was given up: the next one must not be offered keys that this one has seen. */
  | { type: 'stop-fork'; candidate: number }
  /** Stop the fork and end the dialog, in parallel; the fork is never left running. */
  | { type: 'release'; fork: boolean; bye: boolean; termination: Termination }
  | { type: 'announce-end'; started: boolean; termination: Termination };

export interface RecordingStep {
  readonly state: RecordingState;
  readonly effects: readonly RecordingEffect[];
}

export function newRecording(candidates: number): RecordingState {
  return { phase: 'new', candidate: 0, candidates, fork: 'none', dialog: 'none', started: false };
}

/** Never throws: an event that means nothing in a state changes nothing. */
export function stepRecording(state: RecordingState, event: RecordingEvent): RecordingStep {
  switch (event.type) {
    case 'start':
      if (state.phase !== 'new') return same(state);
      return go({ ...state, phase: 'forking', fork: 'starting' }, { type: 'start-fork', candidate: 0 });
    case 'fork-started':
      if (state.phase === 'stopping-while-starting') return release({ ...state, fork: 'up' }, state.termination);
      if (state.phase !== 'forking') return same(state);
      return go(
        { ...state, phase: 'inviting', fork: 'up', dialog: 'inviting' },
        { type: 'invite', candidate: state.candidate },
      );
    case 'fork-failed':
      if (state.phase !== 'forking' && !(state.phase === 'stopping-while-starting' && state.fork === 'starting'))
        return same(state);
      // The relay may have made it before the answer was lost: stopping a fork that is not there is no error.
      return release({ ...state, fork: 'up' }, state.termination ?? event.termination);
    case 'accepted':
      if (state.phase === 'stopping-while-starting') return release({ ...state, dialog: 'up' }, state.termination);
      if (state.phase !== 'inviting') return same(state);
      return go({ ...state, phase: 'connecting', dialog: 'up' }, { type: 'connect' });
    case 'answer-unusable':
      if (state.phase === 'stopping-while-starting') return release({ ...state, dialog: 'up' }, state.termination);
      if (state.phase !== 'inviting') return same(state);
      return nextRecorder(state, true, event.termination);
    case 'refused':
      if (state.phase === 'stopping-while-starting' && state.dialog === 'inviting') {
        return release({ ...state, dialog: 'none' }, state.termination);
      }
      if (state.phase !== 'inviting') return same(state);
      return nextRecorder(state, false, event.termination);
    case 'connected':
      if (state.phase === 'stopping-while-starting') return release(state, state.termination);
      if (state.phase !== 'connecting') return same(state);
      return go({ ...state, phase: 'active', started: true }, { type: 'announce-start' });
    case 'connect-failed':
      if (state.phase !== 'connecting' && state.phase !== 'stopping-while-starting') return same(state);
      return release(state, state.termination ?? event.termination);
    case 'dialog-over':
      return dialogOver(state, event.termination);
    case 'failed':
      return state.phase === 'active' ? release(state, event.termination) : same(state);
    case 'stop':
      return stop(state, event.termination);
    case 'released':
      return released(state, event.unconfirmed);
    default:
      return unreachable(event);
  }
}

function stop(state: RecordingState, termination: Termination): RecordingStep {
  switch (state.phase) {
    case 'new':
      return release(state, termination);
    case 'forking':
    case 'inviting':
    case 'connecting':
      return go({ ...state, phase: 'stopping-while-starting', termination }, { type: 'abort-start' });
    case 'active':
      return release(state, termination);
    case 'stopping-while-starting':
    case 'stopping':
    case 'ended':
      return same(state);
    default:
      return unreachable(state.phase);
  }
}

function dialogOver(state: RecordingState, termination: Termination): RecordingStep {
  if (state.dialog !== 'up') return same(state);
  const over: RecordingState = { ...state, dialog: 'over' };
  switch (state.phase) {
    case 'connecting':
      // The relay is being told of the answer: its outcome is awaited, so that the fork is stopped after it and not before.
      return go({ ...over, phase: 'stopping-while-starting', termination }, { type: 'abort-start' });
    case 'active':
      return release(over, termination);
    case 'new':
    case 'forking':
    case 'inviting':
    case 'stopping-while-starting':
    case 'stopping':
    case 'ended':
      return same(over);
    default:
      return unreachable(state.phase);
  }
}

function nextRecorder(state: RecordingState, bye: boolean, termination: Termination): RecordingStep {
  const next = state.candidate + 1;
  const giveUp: RecordingEffect = { type: 'give-up', candidate: state.candidate, bye, termination };
  if (next < state.candidates) {
    return go(
      { ...state, phase: 'forking', candidate: next, fork: 'starting', dialog: 'none' },
      giveUp,
      { type: 'stop-fork', candidate: state.candidate },
      { type: 'start-fork', candidate: next },
    );
  }
  const last = release({ ...state, dialog: 'over' }, termination);
  return { state: last.state, effects: [giveUp, ...last.effects] };
}

function release(state: RecordingState, termination: Termination | undefined): RecordingStep {
  if (termination === undefined) return same(state);
  return go(
    { ...state, phase: 'stopping', termination },
    { type: 'release', fork: state.fork !== 'none', bye: state.dialog === 'up', termination },
  );
}

function released(state: RecordingState, unconfirmed: Termination | undefined): RecordingStep {
  if (state.phase !== 'stopping' || state.termination === undefined) return same(state);
  // A recorder that did not confirm the end may have been dead for long: unknown is no success.
  const success = state.termination.result === Result.SUCCESS;
  const termination = success && unconfirmed !== undefined ? unconfirmed : state.termination;
  return go(
    { ...state, phase: 'ended', fork: 'none', dialog: 'over', termination },
    { type: 'announce-end', started: state.started, termination },
  );
}

function go(state: RecordingState, ...effects: RecordingEffect[]): RecordingStep {
  return { state, effects };
}

function same(state: RecordingState): RecordingStep {
  return { state, effects: [] };
}

function unreachable(value: never): never {
  throw new TypeError(`unknown recording event or phase ${JSON.stringify(value)}`);
}
