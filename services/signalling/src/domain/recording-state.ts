// The life of one recording as a pure function: (state, event) → (state, effects). It knows no SIPREC, no relay, no timer. Whatever
// the order of events it reaches `ended` with one termination, having given back the fork and the dialog of each recorder exactly once.
import { Result } from '@sidestream/proto/events/v1';
import type { Termination } from './termination.js';

export type RecordingPhase =
  | 'new'
  /** A recorder is chosen; the relay prepares the fork for it. */
  | 'forking'
  /** INVITE is on its way to it. */
  | 'inviting'
  /** The recorder's answer was usable; the relay is told. */
  | 'connecting'
  | 'active'
  /** Every recorder was asked in vain, or the relay has no fork now: a pause before they are asked anew. */
  | 'waiting'
  /** Stopped while a step of the start was in flight: the step's outcome decides what there is to give back. */
  | 'stopping-while-starting'
  /** BYE and fork stop are under way. */
  | 'stopping'
  | 'ended';

export interface RecordingState {
  readonly phase: RecordingPhase;
  readonly fork: 'none' | 'starting' | 'up';
  readonly dialog: 'none' | 'inviting' | 'up' | 'over';
  /** Media flows or flowed: the recording counts as started. */
  readonly started: boolean;
  /** Whether media flows, as it was announced last; undefined before the first recorder has accepted. */
  readonly flowing?: boolean;
  /** Why nobody records: a recorder was lost, or at first all of them were asked in vain. Until media flows again. */
  readonly lost?: Termination;
  /** What the last recorder that was of no use has said. */
  readonly failure?: Termination;
  /** How often all recorders were asked in vain since the recording was last known to be sound. */
  readonly rounds: number;
  /** Set once, by the first end; only a success may still turn out to be none. */
  readonly termination?: Termination;
}

export type RecordingEvent =
  | { type: 'start' }
  /** Each recorder has been asked. */
  | { type: 'none-left'; termination: Termination }
  | { type: 'fork-started' }
  | { type: 'fork-failed'; termination: Termination }
  /** The recorder answered 2xx and the answer is usable. */
  | { type: 'accepted' }
  /** The recorder answered 2xx with an answer that must not reach the relay; the dialog is up. */
  | { type: 'answer-unusable'; termination: Termination }
  | { type: 'refused'; termination: Termination }
  /** The relay has taken the answer. `flowing`: the recorder wants media, and so do we; `paused`: we do not, so nothing is missing. */
  | { type: 'connected'; flowing: boolean; paused: boolean }
  | { type: 'connect-failed'; termination: Termination }
  /** Media flows from now on, or no longer: by the recorder's wish or by ours. */
  | { type: 'flow'; flowing: boolean }
  /** The recording has been up for a while: what failed before is forgotten. */
  | { type: 'settled' }
  /** The dialog is gone. */
  | { type: 'dialog-over'; termination: Termination }
  /** The recorder, or its fork, is of no use any more, although nothing says that the dialog is gone. */
  | { type: 'lost'; termination: Termination }
  | { type: 'retry' }
  | { type: 'stop'; termination: Termination }
  /** `unconfirmed`: the recorder did not confirm the BYE that was to end the recording. */
  | { type: 'released'; unconfirmed?: Termination };

export type RecordingEffect =
  /** Choose the best recorder that was not asked yet, in a new round one of all, and prepare a fork for it; report `none-left` without one. */
  | { type: 'start-fork'; newRound: boolean }
  | { type: 'invite' }
  /** Abort the step in flight; its outcome is still reported. */
  | { type: 'abort-start' }
  | { type: 'connect' }
  /** The recording is up at a recorder: keep its state, follow the call, watch the recorder. */
  | { type: 'attend' }
  /** Its recorder is sound: the others may be asked again. */
  | { type: 'settle' }
  | { type: 'announce-start' }
  | { type: 'announce-pause' }
  | { type: 'announce-resume' }
  /** The gap that this loss began is over. */
  | { type: 'announce-recovery'; lost: Termination }
  /** This recorder is given up: its fork is stopped, its dialog, if there is one, gets BYE. */
  | { type: 'give-up'; bye: boolean; termination: Termination }
  /** Report `retry` after a pause that grows with the number of the round. */
  | { type: 'wait'; round: number }
  /** Nobody has taken the recording yet; they are asked again. */
  | { type: 'announce-delay'; termination: Termination }
  /** Stop the fork and end the dialog, in parallel; the fork is never left running. */
  | { type: 'release'; fork: boolean; bye: boolean; termination: Termination }
  | { type: 'announce-end'; started: boolean; termination: Termination };

export interface RecordingStep {
  readonly state: RecordingState;
  readonly effects: readonly RecordingEffect[];
}

export const newRecording: RecordingState = {
  phase: 'new',
  fork: 'none',
  dialog: 'none',
  started: false,
  rounds: 0,
};

/** The relay gives the call no fork any more, however often it is asked. */
const final: ReadonlySet<Termination['reason']> = new Set(['forks-exhausted'] as const);

/** Never throws: an event that means nothing in a state changes nothing. */
export function stepRecording(state: RecordingState, event: RecordingEvent): RecordingStep {
  switch (event.type) {
    case 'start':
      return state.phase === 'new' ? ask(state) : same(state);
    case 'none-left':
      if (state.phase === 'stopping-while-starting' && state.fork === 'starting')
        return release({ ...state, fork: 'none' }, state.termination);
      return state.phase === 'forking' ? rest(state, event.termination) : same(state);
    case 'fork-started':
      if (state.phase === 'stopping-while-starting') return release({ ...state, fork: 'up' }, state.termination);
      if (state.phase !== 'forking') return same(state);
      return go({ ...state, phase: 'inviting', fork: 'up', dialog: 'inviting' }, { type: 'invite' });
    case 'fork-failed':
      return forkFailed(state, event.termination);
    case 'accepted':
      if (state.phase === 'stopping-while-starting') return release({ ...state, dialog: 'up' }, state.termination);
      if (state.phase !== 'inviting') return same(state);
      return go({ ...state, phase: 'connecting', dialog: 'up' }, { type: 'connect' });
    case 'answer-unusable':
      if (state.phase === 'stopping-while-starting') return release({ ...state, dialog: 'up' }, state.termination);
      if (state.phase !== 'inviting') return same(state);
      return nextRecorder({ ...state, dialog: 'up' }, event.termination);
    case 'refused':
      if (state.phase === 'stopping-while-starting' && state.dialog === 'inviting') {
        return release({ ...state, dialog: 'none' }, state.termination);
      }
      if (state.phase !== 'inviting') return same(state);
      return nextRecorder({ ...state, dialog: 'none' }, event.termination);
    case 'connected':
      if (state.phase === 'stopping-while-starting') return release(state, state.termination);
      return state.phase === 'connecting' ? connected(state, event) : same(state);
    case 'connect-failed':
      if (state.phase === 'stopping-while-starting') return release(state, state.termination);
      return state.phase === 'connecting' ? nextRecorder(state, event.termination) : same(state);
    case 'flow':
      return state.phase === 'active' ? flow(state, event.flowing) : same(state);
    case 'settled':
      return state.phase === 'active' ? go({ ...state, rounds: 0 }, { type: 'settle' }) : same(state);
    case 'dialog-over':
      return state.dialog === 'up' ? lose({ ...state, dialog: 'over' }, event.termination) : same(state);
    case 'lost':
      return lose(state, event.termination);
    case 'retry':
      return state.phase === 'waiting' ? ask(state, true) : same(state);
    case 'stop':
      return stop(state, event.termination);
    case 'released':
      return released(state, event.unconfirmed);
    default:
      return unreachable(event);
  }
}

function ask(state: RecordingState, newRound = false): RecordingStep {
  return go({ ...state, phase: 'forking', fork: 'starting', dialog: 'none' }, { type: 'start-fork', newRound });
}

/** It may be the relay's fault, so the next recorder is not asked at once. */
function forkFailed(state: RecordingState, termination: Termination): RecordingStep {
  // The relay may have made it before the answer was lost: stopping a fork that is not there is no error.
  const doubtful: RecordingState = { ...state, fork: 'up' };
  if (state.phase === 'stopping-while-starting' && state.fork === 'starting')
    return release(doubtful, state.termination);
  if (state.phase !== 'forking') return same(state);
  if (final.has(termination.reason)) return release(doubtful, termination);
  const { state: next, effects } = rest({ ...state, failure: termination }, termination);
  return go(next, giveUp(state, termination), ...effects);
}

function connected(state: RecordingState, { flowing, paused }: { flowing: boolean; paused: boolean }): RecordingStep {
  // Before the first media there was nothing to lose: a recorder that has taken the recording and waits is its own story.
  const over = paused || !state.started ? found(state) : go(state);
  const up = flow({ ...over.state, phase: 'active' }, flowing);
  return go(up.state, { type: 'attend' }, ...over.effects, ...up.effects);
}

/** A recording that is accepted and waits for the recorder has not started; what waited before and waits on is no news. */
function flow(before: RecordingState, flowing: boolean): RecordingStep {
  const { state, effects } = flowing ? found(before) : go(before);
  const next = { ...state, flowing, started: state.started || flowing };
  if (flowing && !state.started) return go(next, { type: 'announce-start' });
  if (flowing === state.flowing) return go(next, ...effects);
  return go(next, ...effects, { type: flowing ? 'announce-resume' : 'announce-pause' });
}

/** Nothing is missing any more. */
function found({ lost, ...state }: RecordingState): RecordingStep {
  return lost !== undefined && state.started ? go(state, { type: 'announce-recovery', lost }) : go(state);
}

function stop(state: RecordingState, termination: Termination): RecordingStep {
  // What ends while it is lost ended with the loss.
  const why = state.lost ?? termination;
  switch (state.phase) {
    case 'new':
    case 'waiting':
    case 'active':
      return release(state, why);
    case 'forking':
    case 'inviting':
    case 'connecting':
      return go({ ...state, phase: 'stopping-while-starting', termination: why }, { type: 'abort-start' });
    case 'stopping-while-starting':
    case 'stopping':
    case 'ended':
      return same(state);
    default:
      return unreachable(state.phase);
  }
}

function lose(state: RecordingState, termination: Termination): RecordingStep {
  switch (state.phase) {
    case 'connecting':
      return nextRecorder(state, termination);
    case 'active':
      // A gap that goes on has the reason that it began with.
      return nextRecorder({ ...state, lost: state.lost ?? termination }, termination);
    case 'new':
    case 'forking':
    case 'inviting':
    case 'waiting':
    case 'stopping-while-starting':
    case 'stopping':
    case 'ended':
      return same(state);
    default:
      return unreachable(state.phase);
  }
}

/** This recorder is of no use. */
function nextRecorder(state: RecordingState, termination: Termination): RecordingStep {
  const { state: next, effects } = ask({ ...state, failure: termination });
  return go(next, giveUp(state, termination), ...effects);
}

/** As long as the call lasts they are asked again, ever more seldom. */
function rest(state: RecordingState, termination: Termination): RecordingStep {
  const { started, failure = termination } = state;
  const lost = started ? (state.lost ?? failure) : failure;
  const rounds = state.rounds + 1;
  const delay: RecordingEffect[] = started || rounds > 1 ? [] : [{ type: 'announce-delay', termination: lost }];
  return go({ ...state, phase: 'waiting', fork: 'none', dialog: 'none', lost, rounds }, ...delay, {
    type: 'wait',
    round: rounds,
  });
}

function giveUp({ dialog }: RecordingState, termination: Termination): RecordingEffect {
  return { type: 'give-up', bye: dialog === 'up', termination };
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
