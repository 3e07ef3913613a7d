// What a call and its recordings have to do with each other: when they begin, that the forks hear of each answer, and what becomes of a
// call that must be recorded and is not. Knows no recorder.
import { within } from './deadline.js';
import type { Side } from './offer-answer.js';
import type { PartyFlows } from './party-flows.js';
import { type PreferredRecording, preferenceIn, preferred, type RecordPreference } from './party-preferences.js';
import type { CallFacts, MediaSession } from './ports.js';
import type { RecordIndication } from './recording-awareness.js';
import type { PauseWisher } from './recording-pause.js';
import { planOf, type RecordingPlan, type RecordingTerms } from './recording-terms.js';
import { SteadyIndication } from './steady-indication.js';
import { type Termination, terminated } from './termination.js';

/** What records a call: one recording, or several at once. */
export interface CallRecording {
  /** Of each recorder that records at the same time. */
  readonly views: readonly RecordingView[];
  /** Calls back whenever a phase has changed. */
  watch(onChange: () => void): void;
  /** Begins; `flows`: which way media flows, where that is known. Never throws. */
  start(media: MediaSession, flows?: PartyFlows): void;
  /** The media changed; `flows`: which way it flows now, where that is known. */
  refresh(flows?: PartyFlows): void;
  /** Somebody else takes part in the call now. */
  follow(call: CallFacts): void;
  /** The call ended for this reason: ends it; resolves when everything is given back. Idempotent, never rejects. */
  stop(why: string): Promise<void>;
  /** Resolves with true once the call is recorded, with false when no recorder has taken it yet, each having been asked. */
  readonly recorded: Promise<boolean>;
  /** The call is not recorded any more, or not before a recorder is back. */
  readonly lost: boolean;
  /** Ends it while the call goes on; resolves when everything is given back. Idempotent, never rejects. */
  end(termination: Termination): Promise<void>;
  /**
   * Resolves when no packet goes to a recorder any more. Idempotent; rejects SidestreamError `wrong-state` when it is over, and the
   * relay's when the pause could not be made sure of: the recording ends then.
   */
  pause(by: PauseWisher): Promise<void>;
  /**
   * Takes back what this one has wanted. Resolves when the recorders have agreed, at once while somebody else wants the pause. Idempotent;
   * rejects SidestreamError `recorder-refused`, and `wrong-state` when it is over.
   */
  resume(by: PauseWisher): Promise<void>;
}

/** What there is to see of a recording. */
export interface RecordingView {
  readonly recordingId: string;
  readonly recorderCallId: string;
  readonly phase: string;
  /** The last one that was tried, by its name in the tenant's list. */
  readonly recorder: string;
  /** Who wants it paused: 'operator', 'party', or 'recorder', which wants no media. */
  readonly pausedBy: readonly string[];
}

/** The recording that was decided on when the call came in. */
export interface PlannedRecording extends RecordingTerms {
  readonly of: CallRecording;
  /** Makes another one, after a party changed its mind. */
  readonly again: () => CallRecording;
}

export interface RecordedCall {
  readonly onRecorded: () => void;
  /** The call must be recorded and is not: it has to end. */
  readonly onUnrecorded: (why: string) => void;
  /** What the parties are to be told may have changed. */
  readonly onChange: () => void;
  /** Aborted when the call ends. */
  readonly signal: AbortSignal;
}

export class RecordingsOfCall {
  readonly plan: RecordingPlan;
  #planned: PlannedRecording | undefined;
  readonly #call: RecordedCall;
  readonly #begun: CallRecording[] = [];
  readonly #indication: SteadyIndication;
  readonly #preferences = new Map<Side, RecordPreference>();
  #media: MediaSession | undefined;
  /** Which way media flows, once somebody has said. */
  #flows: PartyFlows | undefined;
  #recorded = false;

  /** @param planned undefined: the call is not to be recorded unless somebody begins it later. */
  constructor(planned: PlannedRecording | undefined, call: RecordedCall) {
    this.plan = planned === undefined ? 'none' : planOf(planned);
    this.#planned = planned;
    this.#call = call;
    this.#indication = new SteadyIndication(
      () => this.views.map((view) => ({ phase: view.phase, goesOn: goesOn(view) })),
      call.onChange,
      call.signal,
    );
  }

  /** Those that have begun, ended ones included. */
  get begun(): readonly CallRecording[] {
    return this.#begun;
  }

  get views(): RecordingView[] {
    return this.#begun.flatMap(({ views }) => views);
  }

  /** Whether one of them is neither over nor about to be. */
  get goesOn(): boolean {
    return this.views.some(goesOn);
  }

  /** What the call's parties are to be told. */
  get indication(): RecordIndication {
    return this.#indication.now;
  }

  begin(recording: CallRecording, media: MediaSession): void {
    this.#begun.push(recording);
    recording.watch(() => {
      this.#indication.changed();
      if (recording === this.#planned?.of) this.#heed(this.#planned);
    });
    recording.start(media, this.#flows);
  }

  /** A call that must be recorded, and was, may have to end when it is not any more. */
  #heed({ of, required, onLoss }: PlannedRecording): void {
    if (required && onLoss === 'end' && this.#recorded && of.lost) this.#call.onUnrecorded('the recording was lost');
  }

  /** What begins when it is time to. */
  get planned(): PlannedRecording | undefined {
    return this.#planned;
  }

  /** @param planned does not begin any more if another one is planned by now */
  beginPlanned(media: MediaSession, planned = this.#planned): void {
    if (planned === undefined || planned.of !== this.#planned?.of || this.#call.signal.aborted) return;
    const { of, required } = planned;
    this.#media = media;
    const wanted = preferred(this.#preferences.values());
    if (wanted === 'off') return void of.end(declined());
    if (wanted === 'pause') pause(of, 'party');
    this.begin(of, media);
    void of.recorded.then((recorded) => {
      // Another one is planned by now, for whom else the call has come to.
      if (of !== this.#planned?.of) return;
      this.#recorded = recorded;
      if (recorded) this.#call.onRecorded();
      else if (required) this.#call.onUnrecorded('no recorder has taken the call');
    });
  }

  /** A record-aware party has described its media, and what it prefers of recording with it. */
  prefer(side: Side, sdp: string): void {
    const said = preferenceIn(sdp);
    const planned = this.#planned;
    if (said === undefined || planned === undefined || planned.required || !planned.honourPreferences) return;
    const before = preferred(this.#preferences.values());
    this.#preferences.set(side, said);
    const now = preferred(this.#preferences.values());
    if (now !== before && this.#media !== undefined) this.#obey(now, planned, this.#media);
  }

  #obey(wanted: PreferredRecording, { again }: PlannedRecording, media: MediaSession): void {
    // One that is ending does not come back: another one takes its place.
    const live = this.#begun.filter(({ views }) => views.some(goesOn));
    switch (wanted) {
      case 'off':
        for (const one of live) void one.end(declined());
        return;
      case 'pause':
        for (const one of live) pause(one, 'party');
        return;
      case 'record':
        if (live.length === 0) this.#beginAgain(again(), media);
        // One that a recorder refuses to resume is asked for again; whoever is aware sees that it is paused.
        for (const one of live) one.resume('party').catch(() => {});
        return;
      default:
        wanted satisfies never;
    }
  }

  /** What an operator had paused stays so, although a party has had it ended meanwhile. */
  #beginAgain(another: CallRecording, media: MediaSession): void {
    const before = this.#begun.at(-1)?.views ?? [];
    if (before.some(({ pausedBy }) => pausedBy.includes('operator'))) pause(another, 'operator');
    this.begin(another, media);
  }

  /** The far side has answered and waits: as long as is configured. */
  hold(): void {
    const { requiredTimeoutMs = 0 } = this.#planned ?? {};
    const limit = within(this.#call.signal, requiredTimeoutMs);
    limit.addEventListener('abort', () => {
      if (!this.#recorded) this.#call.onUnrecorded(`no recorder took the call in ${requiredTimeoutMs} ms`);
    });
  }

  /** The media changed, or its description. */
  refresh(flows?: PartyFlows): void {
    this.#flows = flows ?? this.#flows;
    for (const one of this.#begun) one.refresh(flows);
  }

  /**
   * Somebody else is called in the place of who was, and it was decided anew: what records a ringing call goes on or ends, what would have
   * begun is planned anew.
   * @returns when it begins, and whether it has
   */
  expect(call: CallFacts, plan: () => PlannedRecording): { plan: RecordingPlan; begun: boolean } {
    const { record } = call.decision;
    const live = this.#take(call, !record);
    if (record && live.length === 0) {
      this.#planned = plan();
      this.#recorded = false;
    }
    return { plan: this.#planned === undefined ? 'none' : planOf(this.#planned), begun: live.length > 0 };
  }

  /**
   * Somebody else takes part in the call now, and it was decided anew: what records goes on with the new parties, ends when the call is
   * not to be recorded any more, or begins.
   * @param plan what records it from now on, where nothing does
   */
  follow(call: CallFacts, wasDecided: boolean, plan: () => PlannedRecording, media: MediaSession): void {
    const { record } = call.decision;
    const live = this.#take(call, !record && wasDecided);
    if (this.#planned !== undefined) this.#planned = { ...this.#planned, again: () => plan().of };
    if (!record || wasDecided || live.length > 0) return;
    this.#planned = plan();
    this.beginPlanned(media);
  }

  /** Tells those under way of the new parties, or ends them, and with them what was planned. @returns those that go on */
  #take(call: CallFacts, ends: boolean): readonly CallRecording[] {
    const live = this.#begun.filter(({ views }) => views.some(goesOn));
    if (!ends) {
      for (const one of live) one.follow(call);
      return live;
    }
    this.#planned = undefined;
    for (const one of live)
      void one.end(terminated('seller-not-listed', 'the call has come to a seller who is not recorded'));
    return [];
  }

  /** @param planned whether the planned one has begun, or was about to. */
  stop(why: string, planned: boolean): Promise<void>[] {
    const own =
      planned && this.#planned !== undefined && !this.#begun.includes(this.#planned.of) ? [this.#planned.of] : [];
    return [...own, ...this.#begun].map((one) => one.stop(why));
  }
}

/** Whether it is neither over nor about to be. */
export function goesOn({ phase }: RecordingView): boolean {
  return phase !== 'ended' && phase !== 'stopping' && phase !== 'stopping-while-starting';
}

/** Whether something of it is still there. */
export function isLive({ views }: CallRecording): boolean {
  return views.some(({ phase }) => phase !== 'ended');
}

function declined(): Termination {
  return terminated('declined-by-party', 'a party prefers not to be recorded');
}

/** One that cannot be paused ends by itself. */
function pause(recording: CallRecording, by: PauseWisher): void {
  recording.pause(by).catch(() => {});
}
