// The record of one call while it is written: what was told of the call, with the time at which it was told. It decides nothing.
import type { CallRecord, RecordingRecord, Stretch } from '@sidestream/proto/records/v1';
import { lateStart, missingAfterMs } from './late-start.js';
import { type MediaCounts, packetsOf } from './media-counts.js';
import type { Party } from './parties.js';
import type { CalledTarget, CallFacts, ForkCondition, IncomingInvite, RecordingFacts } from './ports.js';
import { type Missing, missingNow } from './recording-assurance.js';
import { recordingOf } from './recording-forks.js';
import type { RecordingGroup } from './recording-groups.js';
import { verdictOf } from './recording-verdict.js';
import { type Termination, terminated } from './termination.js';

/** A call of days may be transferred, paused and lost for ever: of more than so many those in the middle are not kept. */
const maxEntries = 200;

export type Draft = Omit<CallRecord, 'endedAt' | 'termination' | 'version' | 'instance' | 'verdict'>;

export class CallDraft {
  readonly #draft: Draft;
  readonly #now: () => Date;
  /** Recordings for which nothing leaves, as the relay says. */
  readonly #stalled = new Map<string, Date>();
  /** Recordings whose recorder does not take both voices. */
  readonly #refused = new Map<string, Missing>();
  /** Recordings that somebody who may have it wants to end, however they do. */
  readonly #unwanted = new Set<string>();
  /** Recordings that the call has at the same time as others. */
  readonly #groups = new Map<string, RecordingGroup>();
  /** How long recordings were missing before their first media. */
  readonly #lateMs = new Map<string, number>();
  /** Since when the answered call is to be recorded. */
  #wantedSince: Date | undefined;
  #missing: Missing | undefined;
  #wasMissing = false;
  #end: { readonly termination: Termination; readonly endedAt: Date } | undefined;
  #facts: CallFacts;
  readonly #write: (facts: CallFacts) => Pick<Draft, 'direction' | 'calling' | 'called' | 'seller' | 'decision'>;

  /** @param write the facts as the record has them */
  constructor(
    call: CallFacts,
    from: Pick<IncomingInvite, 'sipCallId' | 'source'>,
    now: () => Date,
    write: (facts: CallFacts) => Pick<Draft, 'direction' | 'calling' | 'called' | 'seller' | 'decision'>,
  ) {
    this.#facts = call;
    this.#now = now;
    this.#write = write;
    const { address, port } = from.source;
    const peer = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    this.#draft = {
      callId: call.callId,
      tenant: call.tenant,
      startedAt: call.startedAt,
      ringingAt: undefined,
      answeredAt: undefined,
      legs: [{ trunk: call.trunk, peer, sipCallId: from.sipCallId, sipStatus: 0 }],
      recordings: [],
      received: [],
      transfers: [],
      ...write(call),
    };
  }

  ringing(): void {
    this.#draft.ringingAt ??= this.#now();
  }

  called({ trunk, peer, status, sipCallId }: CalledTarget): void {
    keep(this.#draft.legs, { trunk, peer, sipCallId, sipStatus: status });
  }

  answered(): void {
    this.#draft.answeredAt = this.#now();
    this.#want();
  }

  transferred(call: CallFacts, party: string): void {
    this.#facts = call;
    const { direction, ...who } = this.#write(call);
    keep(this.#draft.transfers, { at: this.#now(), party, ...who });
    Object.assign(this.#draft, { direction, seller: who.seller, decision: who.decision });
    this.#want();
  }

  recordingBegan(recording: RecordingFacts): void {
    this.#of(recording);
  }

  unwanted({ recordingId }: RecordingFacts): void {
    this.#unwanted.add(recordingId);
  }

  asked(recording: RecordingFacts, recorder: string): void {
    const attempt = { recorder, invitedAt: this.#now(), acceptedAt: undefined, mediaConfirmedAt: undefined };
    keep(this.#of(recording).attempts, { ...attempt, failure: undefined });
  }

  accepted(recording: RecordingFacts): void {
    const attempt = this.#of(recording).attempts.at(-1);
    if (attempt !== undefined) attempt.acceptedAt = this.#now();
  }

  givenUp(recording: RecordingFacts, failure: Termination): void {
    this.#refused.delete(recording.recordingId);
    const { attempts, gaps, startedAt } = this.#of(recording);
    const attempt = attempts.at(-1);
    if (attempt !== undefined && attempt.failure === undefined) attempt.failure = failure;
    if (startedAt !== undefined && isClosed(gaps)) keep(gaps, this.#stretch(failure.reason));
  }

  /** @param voices that the recorder which has the recording does not take */
  refused({ recordingId }: RecordingFacts, [first]: readonly Party[]): void {
    const known = this.#refused.get(recordingId);
    if (first === undefined) this.#refused.delete(recordingId);
    else this.#refused.set(recordingId, { reason: `${first}-voice-refused`, since: known?.since ?? this.#now() });
  }

  media(recording: RecordingFacts, condition: ForkCondition, lastedMs: number): void {
    const attempt = this.#of(recording).attempts.at(-1);
    if (attempt !== undefined && condition === 'flowing') attempt.mediaConfirmedAt ??= this.#now();
    // Only the relay can say that it is well again: another recorder that takes the recording cannot.
    if (condition === 'flowing') this.#stalled.delete(recording.recordingId);
    else if (condition === 'stalled' && !this.#stalled.has(recording.recordingId))
      this.#stalled.set(recording.recordingId, new Date(this.#now().getTime() - lastedMs));
  }

  counted({ received, forks }: MediaCounts): void {
    this.#draft.received = packetsOf([received]);
    for (const recording of this.#draft.recordings) {
      const own = [...forks]
        .filter(([fork]) => recordingOf(fork) === recording.recordingId)
        .map(([, counts]) => counts);
      recording.copied = packetsOf(own.map((counts) => counts?.copied));
      recording.due = packetsOf(own.map((counts) => counts?.due));
    }
  }

  /** @param startDelayMs since it was wanted */
  recordingStarted(recording: RecordingFacts, startDelayMs: number): void {
    const record = this.#of(recording);
    const now = this.#now();
    record.startedAt = now;
    close(record.pauses, now);
    const { answeredAt = now } = this.#draft;
    const wantedAt = new Date(Math.max(now.getTime() - startDelayMs, answeredAt.getTime()));
    const late = lateStart(record, wantedAt, now);
    if (late === undefined) return;
    keep(record.gaps, late.gap);
    record.gapMs = Math.round(late.lateMs);
    this.#lateMs.set(record.recordingId, record.gapMs);
  }

  paused(recording: RecordingFacts, reason: string): void {
    const { pauses } = this.#of(recording);
    if (isClosed(pauses)) keep(pauses, this.#stretch(reason));
  }

  resumed(recording: RecordingFacts): void {
    close(this.#of(recording).pauses, this.#now());
  }

  recovered(recording: RecordingFacts, gapMs: number): void {
    const record = this.#of(recording);
    record.gapMs += Math.round(gapMs);
    const now = this.#now();
    const gap = record.gaps.at(-1);
    // What was lost had been lost for a while when it was noticed.
    if (gap !== undefined && gap.endedAt === undefined) gap.beganAt = earlier(gap.beganAt, now.getTime() - gapMs);
    close(record.gaps, now);
  }

  /** @param gapMs the sum of all gaps since the first media; absent for one that never started */
  recordingOver(recording: RecordingFacts, termination: Termination, gapMs = 0): void {
    const record = this.#of(recording);
    record.endedAt = this.#now();
    record.termination = termination;
    record.gapMs = Math.round(gapMs) + (this.#lateMs.get(record.recordingId) ?? 0);
  }

  /** The call as it is now. */
  get facts(): CallFacts {
    return this.#facts;
  }

  /** What is missing, as it was told last. */
  get missing(): Missing | undefined {
    return this.#missing;
  }

  /** What has become missing, or is there again, since this was asked last. */
  assured(): { readonly missing: Missing } | { readonly found: Missing } | undefined {
    if (this.#end !== undefined) return undefined;
    const before = this.#missing;
    const now = missingNow(this.#draft, {
      wantedSince: this.#wantedSince,
      stalledSince: (id) => this.#stalled.get(id),
      refused: (id) => this.#refused.get(id),
      unwanted: (id) => this.#unwanted.has(id),
      groupOf: (id) => this.#groups.get(id),
    });
    if (before !== undefined) {
      if (now !== undefined) return undefined;
      this.#missing = undefined;
      return { found: before };
    }
    // The relay has waited for long enough before it said so.
    const patienceMs = now?.reason === 'media-stalled' ? 0 : missingAfterMs;
    if (now === undefined || this.#now().getTime() - now.since.getTime() < patienceMs) return undefined;
    this.#missing = now;
    this.#wasMissing = true;
    return { missing: now };
  }

  /** Nothing is wanted of the call any more. */
  ended(termination: Termination, at: Date): void {
    this.#end ??= { termination, endedAt: at };
  }

  /** What did not end by itself has been given up: unknown is no success. */
  over(instance: string): CallRecord {
    const unknown = terminated('internal', 'it had not ended when the call had');
    const recordings = this.#draft.recordings.map((one) => ({ ...one, termination: one.termination ?? unknown }));
    const draft = { ...this.#draft, recordings };
    const { termination = unknown, endedAt = this.#now() } = this.#end ?? {};
    const verdict = verdictOf(draft, { groupOf: (id) => this.#groups.get(id), wasMissing: this.#wasMissing });
    return { ...draft, version: 1, instance, endedAt, termination, verdict };
  }

  #want(): void {
    if (this.#draft.decision?.record === true) this.#wantedSince ??= this.#now();
    else this.#wantedSince = undefined;
  }

  #of({ recordingId, call, group }: RecordingFacts): RecordingRecord {
    const { recordings } = this.#draft;
    const known = recordings.find((one) => one.recordingId === recordingId);
    if (known !== undefined) {
      known.recorderCallId = call.recordingCallId;
      return known;
    }
    const made: RecordingRecord = {
      recordingId,
      recorderCallId: call.recordingCallId,
      attempts: [],
      copied: [],
      due: [],
      startedAt: undefined,
      endedAt: undefined,
      pauses: [],
      gaps: [],
      gapMs: 0,
      termination: undefined,
    };
    keep(recordings, made);
    if (group !== undefined) this.#groups.set(recordingId, group);
    return made;
  }

  #stretch(reason: string): Stretch {
    return { beganAt: this.#now(), endedAt: undefined, reason };
  }
}

/** The last entry is always the newest: what comes of it is noted there. */
function keep<T>(list: T[], entry: T): void {
  if (list.length >= maxEntries) list.splice(maxEntries / 2, 1);
  list.push(entry);
}

function isClosed(stretches: readonly Stretch[]): boolean {
  const last = stretches.at(-1);
  return last === undefined || last.endedAt !== undefined;
}

function close(stretches: readonly Stretch[], at: Date): void {
  const last = stretches.at(-1);
  if (last !== undefined) last.endedAt ??= at;
}

function earlier(date: Date | undefined, ms: number): Date {
  return new Date(Math.min(date?.getTime() ?? ms, ms));
}
