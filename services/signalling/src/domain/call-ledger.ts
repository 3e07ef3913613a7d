// Keeps the record of each live call, and gives it away once, when the call is over. It listens to what calls and recordings tell and
// passes the events on; whatever happens here, no call hears of it.
import type { CallRecord } from '@sidestream/proto/records/v1';
import { CallDraft, type Draft } from './call-draft.js';
import type { CallId } from './identifiers.js';
import type { MediaCounts } from './media-counts.js';
import type { Party } from './parties.js';
import type {
  CallEvents,
  CalledTarget,
  CallFacts,
  CallRefusal,
  CallTimes,
  CallWitness,
  ForkCondition,
  IncomingInvite,
  RecorderDialog,
  RecordingFacts,
} from './ports.js';
import type { Missing } from './recording-assurance.js';
import type { Termination } from './termination.js';

export interface CallLedgerOptions {
  readonly instance: string;
  /** The facts as a record has them. */
  readonly write: (facts: CallFacts) => Pick<Draft, 'direction' | 'calling' | 'called' | 'seller' | 'decision'>;
  readonly onRefused?: (refusal: CallRefusal) => void;
  /** Before everything else of the call. */
  readonly onArrived?: (call: CallFacts) => void;
  readonly onRecord: (record: CallRecord) => void;
  readonly now?: () => Date;
}

export class CallLedger implements CallWitness {
  readonly #events: CallEvents;
  readonly #options: CallLedgerOptions;
  readonly #now: () => Date;
  readonly #drafts = new Map<CallId, CallDraft>();

  /** @param events who is told as before */
  constructor(events: CallEvents, options: CallLedgerOptions) {
    this.#events = events;
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
  }

  callRefused(refusal: CallRefusal): void {
    this.#options.onRefused?.(refusal);
    this.#events.callRefused(refusal);
  }

  callArrived(call: CallFacts, from: Pick<IncomingInvite, 'sipCallId' | 'source'>): void {
    this.#options.onArrived?.(call);
    this.#drafts.set(call.callId, new CallDraft(call, from, this.#now, this.#options.write));
  }

  callStarted(call: CallFacts): void {
    this.#events.callStarted(call);
  }

  callRinging({ callId }: CallFacts): void {
    this.#drafts.get(callId)?.ringing();
  }

  targetCalled({ callId }: CallFacts, target: CalledTarget): void {
    this.#drafts.get(callId)?.called(target);
  }

  callAnswered(call: CallFacts, delays: Parameters<CallEvents['callAnswered']>[1]): void {
    this.#drafts.get(call.callId)?.answered();
    this.#events.callAnswered(call, delays);
  }

  callTransferred(call: CallFacts, party: Party): void {
    this.#drafts.get(call.callId)?.transferred(call, party);
    this.#events.callTransferred(call, party);
  }

  callEnded(call: CallFacts, termination: Termination, times: CallTimes): void {
    this.#drafts.get(call.callId)?.ended(termination, times.endedAt);
    this.#events.callEnded(call, termination, times);
  }

  callReleased({ callId }: CallFacts): void {
    const draft = this.#drafts.get(callId);
    if (draft === undefined) return;
    this.#drafts.delete(callId);
    this.#options.onRecord(draft.over(this.#options.instance));
  }

  recordingBegan(recording: RecordingFacts): void {
    this.#of(recording)?.recordingBegan(recording);
  }

  recordingUnwanted(recording: RecordingFacts): void {
    this.#of(recording)?.unwanted(recording);
  }

  recorderAsked(recording: RecordingFacts, recorder: string): void {
    this.#of(recording)?.asked(recording, recorder);
  }

  recorderAccepted(recording: RecordingFacts): void {
    this.#of(recording)?.accepted(recording);
  }

  recorderGivenUp(recording: RecordingFacts, why: Termination): void {
    this.#of(recording)?.givenUp(recording, why);
  }

  mediaCounted({ callId }: CallFacts, counts: MediaCounts): void {
    this.#drafts.get(callId)?.counted(counts);
  }

  voicesRefused(recording: RecordingFacts, voices: readonly Party[]): void {
    this.#of(recording)?.refused(recording, voices);
  }

  recordingMedia(recording: RecordingFacts, condition: ForkCondition, lastedMs: number): void {
    this.#of(recording)?.media(recording, condition, lastedMs);
  }

  recordingStarted(recording: RecordingFacts, dialog: RecorderDialog, startDelayMs: number): void {
    this.#of(recording)?.recordingStarted(recording, startDelayMs);
    this.#events.recordingStarted(recording, dialog, startDelayMs);
  }

  recordingPaused(recording: RecordingFacts, reason: string): void {
    this.#of(recording)?.paused(recording, reason);
    this.#events.recordingPaused(recording, reason);
  }

  recordingResumed(recording: RecordingFacts): void {
    this.#of(recording)?.resumed(recording);
    this.#events.recordingResumed(recording);
  }

  recordingRecovered(recording: RecordingFacts, dialog: RecorderDialog, lost: Termination, gapMs: number): void {
    this.#of(recording)?.recovered(recording, gapMs);
    this.#events.recordingRecovered(recording, dialog, lost, gapMs);
  }

  recordingDelayed(recording: RecordingFacts, recorder: string, why: Termination): void {
    this.#events.recordingDelayed(recording, recorder, why);
  }

  recordingFailed(recording: RecordingFacts, recorder: string, termination: Termination): void {
    this.#of(recording)?.recordingOver(recording, termination);
    this.#events.recordingFailed(recording, recorder, termination);
  }

  recordingEnded(
    recording: RecordingFacts,
    termination: Termination,
    times: Parameters<CallEvents['recordingEnded']>[2],
  ): void {
    this.#of(recording)?.recordingOver(recording, termination, times.gapMs);
    this.#events.recordingEnded(recording, termination, times);
  }

  recordingState(recording: RecordingFacts, forkId: string, dialog: RecorderDialog): void {
    this.#events.recordingState(recording, forkId, dialog);
  }

  recordingMissing(call: CallFacts, missing: Missing): void {
    this.#events.recordingMissing(call, missing);
  }

  recordingFound(call: CallFacts, missing: Missing): void {
    this.#events.recordingFound(call, missing);
  }

  /** What of the live call's recording is missing, as it was told last; undefined while nothing is. */
  missing(callId: CallId): Missing | undefined {
    return this.#drafts.get(callId)?.missing;
  }

  /** Compares what each live call should be with what it is, and tells what has changed. To be called every second or so. */
  reconcile(): void {
    for (const draft of this.#drafts.values()) {
      const change = draft.assured();
      if (change === undefined) continue;
      if ('missing' in change) this.recordingMissing(draft.facts, change.missing);
      else this.recordingFound(draft.facts, change.found);
    }
  }

  #of({ call }: RecordingFacts): CallDraft | undefined {
    return this.#drafts.get(call.callId);
  }
}
