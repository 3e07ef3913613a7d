// The life of one recording as a pure function: (state, event) → (state, effects). It knows no SIPREC, no relay, no timer. Whatever
// the order of events it reaches `ended` with one termination, having given back the fork and the dialog of each recorder exactly once.
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
  /** The recorder was lost and every other one was asked: a pause before recorder number `candidate` is asked. */
  | 'waiting'
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
  /** Whether media flows, as it was announced last; undefined before the first recorder has accepted. */
  readonly flowing?: boolean;
  /** Why a recorder was lost, from then on until the recording is up again. */
  readonly lost?: Termination;
  /** How many recorders were lost. */
  readonly losses: number;
  /** Recorders that were lost or asked in vain since the recording was last known to be sound. */
  readonly failures: number;
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
  /** The relay has taken the answer; `flowing`: the recorder wants media, and so do we. */
  | { type: 'connected'; flowing: boolean }
  | { type: 'connect-failed'; termination: Termination }
  /** Media flows from now on, or no longer: by the recorder's wish or by ours. */
  | { type: 'flow'; flowing: boolean }
  /** The recording has been up for a while: what failed before is forgotten. */
  | { type: 'settled' }
  /** The dialog is gone. */
  | { type: 'dialog-over'; termination: Termination }
  /** The recorder is of no use any more, although nothing says that its dialog is gone. */
  | { type: 'lost'; termination: Termination }
  | { type: 'retry' }
  /** The relay failed for good: what flows is not what was agreed. */
  | { type: 'failed'; termination: Termination }
  | { type: 'stop'; termination: Termination }
  /** `unconfirmed`: the recorder did not confirm the BYE that was to end the recording. */
  | { type: 'released'; unconfirmed?: Termination };

export type RecordingEffect =
  /** Prepare a fork that no recorder has seen: one of this number of losses, for this candidate. */
  | { type: 'start-fork'; candidate: number; losses: number }
  | { type: 'invite' }
  /** Abort the step in flight; its outcome is still reported. */
  | { type: 'abort-start' }
  | { type: 'connect' }
  /** The recording is up at a recorder: keep its state, follow the call, watch the recorder. */
  | { type: 'attend' }
  | { type: 'announce-start' }
  | { type: 'announce-pause' }
  | { type: 'announce-resume' }
  /** The gap that this loss began is over. */
  | { type: 'announce-recovery'; lost: Termination }
  /** This recorder is given up: its fork is stopped, its dialog, if there is one, gets BYE. */
  | { type: 'give-up'; bye: boolean; termination: Termination }
  /** Report `retry` after a pause that grows with the number of the round. */
  | { type: 'wait'; round: number }
  /** Stop the fork and end the dialog, in parallel; the fork is never left running. */
  | { type: 'release'; fork: boolean; bye: boolean; termination: Termination }
  | { type: 'announce-end'; started: boolean; termination: Termination };

export interface RecordingStep {
  readonly state: RecordingState;
  readonly effects: readonly RecordingEffect[];
}

export function newRecording(candidates: number): RecordingState {
  return {
    phase: 'new',
    candidate: 0,
    candidates,
    fork: 'none',
    dialog: 'none',
    started: false,
    losses: 0,
    failures: 0,
  };
}

/** Never throws: an event that means nothing in a state changes nothing. */
export function stepRecording(state: RecordingState, event: RecordingEvent): RecordingStep {
  switch (event.type) {
    case 'start':
      return state.phase === 'new' ? ask(state, 0) : same(state);
    case 'fork-started':
      if (state.phase === 'stopping-while-starting') return release({ ...state, fork: 'up' }, state.termination);
      if (state.phase !== 'forking') return same(state);
      return go({ ...state, phase: 'inviting', fork: 'up', dialog: 'inviting' }, { type: 'invite' });
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
      return nextRecorder({ ...state, dialog: 'up' }, event.termination);
    case 'refused':
      if (state.phase === 'stopping-while-starting' && state.dialog === 'inviting') {
        return release({ ...state, dialog: 'none' }, state.termination);
      }
      if (state.phase !== 'inviting') return same(state);
      return nextRecorder({ ...state, dialog: 'none' }, event.termination);
    case 'connected':
      if (state.phase === 'stopping-while-starting') return release(state, state.termination);
      return state.phase === 'connecting' ? connected(state, event.flowing) : same(state);
    case 'connect-failed':
      if (state.phase !== 'connecting' && state.phase !== 'stopping-while-starting') return same(state);
      return release(state, state.termination ?? event.termination);
    case 'flow':
      return state.phase === 'active' ? flow(state, event.flowing) : same(state);
    case 'settled':
      return state.phase === 'active' ? go({ ...state, failures: 0 }) : same(state);
    case 'dialog-over':
      return state.dialog === 'up' ? lose({ ...state, dialog: 'over' }, event.termination) : same(state);
    case 'lost':
      return lose(state, event.termination);
    case 'retry':
      return state.phase === 'waiting' ? ask(state, state.candidate) : same(state);
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

function ask(state: RecordingState, candidate: number): RecordingStep {
  return go(
    { ...state, phase: 'forking', candidate, fork: 'starting', dialog: 'none' },
    { type: 'start-fork', candidate, losses: state.losses },
  );
}

function connected({ lost, ...state }: RecordingState, flowing: boolean): RecordingStep {
  const up = flow({ ...state, phase: 'active' }, flowing);
  const recovered: RecordingEffect[] = lost === undefined ? [] : [{ type: 'announce-recovery', lost }];
  return go(up.state, { type: 'attend' }, ...recovered, ...up.effects);
}

/** A recording that is accepted and waits for the recorder has not started; what waited before and waits on is no news. */
function flow(state: RecordingState, flowing: boolean): RecordingStep {
  const next = { ...state, flowing, started: state.started || flowing };
  if (flowing && !state.started) return go(next, { type: 'announce-start' });
  if (flowing === state.flowing) return same(next);
  return go(next, { type: flowing ? 'announce-resume' : 'announce-pause' });
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
    case 'active': {
      const { state: next, effects } = retry({ ...state, losses: state.losses + 1, lost: termination });
      return go(next, giveUp(state, termination), ...effects);
    }
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

/** The recorder that was asked is of no use. At first each one is asked once; what has been up is tried as long as the call lasts. */
function nextRecorder(state: RecordingState, termination: Termination): RecordingStep {
  const last = state.candidate + 1 >= state.candidates;
  const { state: next, effects } =
    state.lost !== undefined
      ? retry(state)
      : last
        ? release({ ...state, dialog: 'over' }, termination)
        : ask(state, state.candidate + 1);
  return go(next, giveUp(state, termination), ...effects);
}

/** The next recorder at once, in a circle; a pause whenever all of them have failed. */
function retry(state: RecordingState): RecordingStep {
  const candidate = (state.candidate + 1) % state.candidates;
  const failures = state.failures + 1;
  if (failures % state.candidates !== 0) return ask({ ...state, failures }, candidate);
  return go(
    { ...state, phase: 'waiting', candidate, failures, fork: 'none', dialog: 'none' },
    { type: 'wait', round: failures / state.candidates },
  );
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
