// The life of a call as a pure function: (state, event) → (state, effects). It knows no SIP message, no relay, no timer; the session
// runs the effects and reports what came of them. Whatever the order of events, a call reaches `ended` with one termination.
import type { RecordingPlan } from './recording-terms.js';
import type { Termination } from './termination.js';

export type CallPhase =
  | 'new'
  | 'opening'
  | 'dialling'
  | 'answering'
  /** The far side has answered; the caller is not told before the call is recorded. */
  | 'holding'
  | 'accepting'
  | 'talking'
  | 'closing'
  | 'ended';

export interface CallState {
  readonly phase: CallPhase;
  /** Index of the target that is being dialled. */
  readonly candidate: number;
  readonly candidates: number;
  /** The caller has made no offer: the far side's 200 does, and the caller's ACK answers it (RFC 3264 §4). */
  readonly late: boolean;
  /** The far side has sent a provisional response: it is alive, another target is not tried any more. */
  readonly rang: boolean;
  readonly media: 'none' | 'opening' | 'open';
  readonly near: 'inviting' | 'accepting' | 'up' | 'over';
  readonly far: 'none' | 'inviting' | 'up' | 'over';
  readonly plan: RecordingPlan;
  /** begun: the recorder was asked for, or is to be at once. made: the call is recorded. */
  readonly recording: 'none' | 'begun' | 'made';
  /** Set once, by the first end; never changed. */
  readonly termination?: Termination;
}

export type CallEvent =
  | { type: 'arrived' }
  | { type: 'media-opened' }
  | { type: 'progressed'; status: number }
  | { type: 'far-answered' }
  /** The target has named others, so many, in its place. */
  | { type: 'redirected'; candidates: number }
  /** Who is dialled now is recorded otherwise than who was called; `begun`: by what is under way already. */
  | { type: 'planned'; plan: RecordingPlan; begun: boolean }
  /** `another`: such a refusal sends the call to the next target, if there is one. `ours`: the target was not even asked. */
  | { type: 'far-refused'; status: number; another: boolean; ours?: boolean; termination: Termination }
  | { type: 'media-answered' }
  | { type: 'near-accepted' }
  | { type: 'recorded' }
  | { type: 'cancelled'; termination: Termination }
  | { type: 'near-over'; termination: Termination }
  | { type: 'far-over'; termination: Termination }
  /** A step of ours failed, or somebody in charge ends the call. */
  | { type: 'failed'; status: number; termination: Termination }
  /** Everything that `release` named is gone. */
  | { type: 'released' };

export type CallEffect =
  | { type: 'open-media' }
  | { type: 'dial'; candidate: number }
  | { type: 'relay-progress'; status: number }
  | { type: 'answer-media' }
  | { type: 'start-recording' }
  /** The far side waits, within a bound, until the call is recorded. */
  | { type: 'await-recording' }
  | { type: 'accept-near' }
  | { type: 'announce-answer' }
  | CallRelease
  /** Everything is given back. */
  | { type: 'announce-end' };

/** Give back everything at once: refuse or BYE the near leg, CANCEL or BYE the far leg, stop recording, close media. */
export interface CallRelease {
  readonly type: 'release';
  readonly near: 'refuse' | 'bye' | 'none';
  readonly far: 'cancel' | 'bye' | 'none';
  /** A recording was begun. */
  readonly recording: boolean;
  /** What a refused near side hears. */
  readonly status: number;
  /** The refusal is our own, so it says what is wrong; the far side's is relayed without a word of ours. */
  readonly explain: boolean;
  readonly termination: Termination;
}

export interface CallStep {
  readonly state: CallState;
  readonly effects: readonly CallEffect[];
}

export function newCall(candidates: number, plan: RecordingPlan, late = false): CallState {
  const nothing = { rang: false, media: 'none', near: 'inviting', far: 'none', recording: 'none' } as const;
  return { phase: 'new', candidate: 0, candidates, late, plan, ...nothing };
}

/** Never throws: an event that means nothing in a state changes nothing. */
export function stepCall(state: CallState, event: CallEvent): CallStep {
  switch (event.type) {
    case 'arrived':
      if (state.phase !== 'new') return same(state);
      if (state.late) return go({ ...state, phase: 'dialling', far: 'inviting' }, { type: 'dial', candidate: 0 });
      return go({ ...state, phase: 'opening', media: 'opening' }, { type: 'open-media' });
    case 'media-opened':
      if (state.late && state.phase === 'answering') return answered({ ...state, media: 'open' });
      if (state.phase !== 'opening') return same(state);
      return go({ ...state, phase: 'dialling', media: 'open', far: 'inviting' }, { type: 'dial', candidate: 0 });
    case 'progressed':
      if (state.phase !== 'dialling') return same(state);
      return progressed(go({ ...state, rang: true }, { type: 'relay-progress', status: event.status }));
    case 'far-answered':
      if (state.phase !== 'dialling') return same(state);
      if (state.late) return go({ ...state, phase: 'answering', far: 'up', media: 'opening' }, { type: 'open-media' });
      return go({ ...state, phase: 'answering', far: 'up' }, { type: 'answer-media' });
    case 'redirected':
      return redirected(state, event.candidates);
    case 'planned':
      if (state.phase !== 'dialling') return same(state);
      return go({ ...state, plan: event.plan, recording: event.begun ? state.recording : 'none' });
    case 'far-refused':
      return refused(state, event);
    case 'media-answered':
      return state.phase === 'answering' ? answered(state) : same(state);
    case 'near-accepted':
      if (state.phase !== 'accepting') return same(state);
      return go({ ...state, phase: 'talking', near: 'up' }, { type: 'announce-answer' });
    case 'recorded':
      if (state.recording !== 'begun') return same(state);
      return state.phase === 'holding' ? accept({ ...state, recording: 'made' }) : go({ ...state, recording: 'made' });
    case 'cancelled':
      // RFC 3261 §9.2: the edge has answered the CANCEL and the INVITE; a CANCEL after our 200 has no effect.
      if (state.near !== 'inviting' && state.near !== 'accepting') return same(state);
      // Where our 200 is on its way the release finds out which of them was first.
      return close(state.near === 'inviting' ? { ...state, near: 'over' } : state, event.termination, 487);
    case 'near-over':
      return close({ ...state, near: 'over' }, event.termination, 487);
    case 'far-over':
      return close({ ...state, far: 'over' }, event.termination, 480);
    case 'failed':
      return close(state, event.termination, event.status, true);
    case 'released':
      if (state.phase !== 'closing') return same(state);
      return go({ ...state, phase: 'ended' }, { type: 'announce-end' });
    default:
      return unreachable(event);
  }
}

/** Ringing goes on first; then the recorder is asked, if that is the plan and there is something to record already. */
function progressed(step: CallStep): CallStep {
  const { plan, media } = step.state;
  return media === 'open' && (plan === 'at-ringing' || plan === 'required') ? begun(step) : step;
}

/** What the caller is to be told is known. */
function answered(state: CallState): CallStep {
  if (state.plan === 'none') return accept(state);
  // The 200 leaves first, and the recorder is asked without waiting for its ACK.
  if (state.plan !== 'required' || state.recording === 'made') return begun(accept(state));
  return begun(go({ ...state, phase: 'holding' }, { type: 'await-recording' }));
}

/** The step, with the recording begun unless it was before. */
function begun({ state, effects }: CallStep): CallStep {
  if (state.recording !== 'none') return { state, effects };
  return { state: { ...state, recording: 'begun' }, effects: [...effects, { type: 'start-recording' }] };
}

function accept(state: CallState): CallStep {
  return go({ ...state, phase: 'accepting', near: 'accepting' }, { type: 'accept-near' });
}

function refused(
  state: CallState,
  { status, another, ours = false, termination }: Extract<CallEvent, { type: 'far-refused' }>,
): CallStep {
  if (state.phase !== 'dialling') return same(state);
  const next = state.candidate + 1;
  if (!state.rang && another && next < state.candidates) {
    return go({ ...state, candidate: next }, { type: 'dial', candidate: next });
  }
  return close({ ...state, far: 'over' }, termination, status, ours);
}

/** Those come next, and none of the first ones after them: the far side has spoken. */
function redirected(state: CallState, candidates: number): CallStep {
  if (state.phase !== 'dialling') return same(state);
  const next = state.candidate + 1;
  return go({ ...state, candidate: next, candidates: next + candidates }, { type: 'dial', candidate: next });
}

function close(state: CallState, termination: Termination, status: number, explain = false): CallStep {
  if (state.phase === 'closing' || state.phase === 'ended') return same(state);
  const near = state.near === 'up' ? 'bye' : state.near === 'over' ? 'none' : 'refuse';
  const far = state.far === 'up' ? 'bye' : state.far === 'inviting' ? 'cancel' : 'none';
  return go(
    { ...state, phase: 'closing', near: 'over', far: 'over', termination },
    { type: 'release', near, far, recording: state.recording !== 'none', status, explain, termination },
  );
}

function go(state: CallState, ...effects: CallEffect[]): CallStep {
  return { state, effects };
}

function same(state: CallState): CallStep {
  return { state, effects: [] };
}

function unreachable(event: never): never {
  throw new TypeError(`unknown call event ${JSON.stringify(event)}`);
}
