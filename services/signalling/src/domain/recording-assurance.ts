// Whether a live call is recorded now, as the policy wants it: what was decided, what recorders took and what the relay says of media are
// compared. Pure.
import type { CallRecord, RecordingRecord } from '@sidestream/proto/records/v1';
import { isWantedEnd } from './recording-verdict.js';
import type { TerminationReason } from './termination.js';

/** Why it is not recorded. */
export type MissingReason = string;

/** The usual reasons; another one of a termination may come. */
export const missingReasons: readonly ('not-started' | 'media-stalled' | TerminationReason)[] = [
  'not-started',
  'media-stalled',
  'recorder-refused',
  'recorder-unreachable',
  'recorder-answer-unusable',
  'recorder-inactive',
  'recorder-hangup',
  'recorder-lost',
  'media-refused',
  'deadline-exceeded',
  'relay-unavailable',
  'media-engine-unavailable',
  'forks-exhausted',
  'overloaded',
  'internal',
];

export interface Missing {
  readonly reason: MissingReason;
  readonly since: Date;
}

export type AssuredCall = Pick<CallRecord, 'decision' | 'recordings'>;

/** What a record does not say. */
export interface Assurances {
  /** Since when the call is up and to be recorded. */
  readonly wantedSince: Date | undefined;
  /** Since when the relay says that nothing leaves for a recording. */
  readonly stalledSince: (recordingId: string) => Date | undefined;
  /** Somebody who may have it wants this recording to end. */
  readonly unwanted: (recordingId: string) => boolean;
}

/**
 * What is missing, and since when; undefined while nothing is. Recordings follow each other: after one that somebody wanted to end only later
 * ones count, and none has to come before the call is wanted again. Of several at once one is enough.
 */
export function missingNow({ recordings }: AssuredCall, known: Assurances): Missing | undefined {
  const { wantedSince } = known;
  if (wantedSince === undefined) return undefined;
  const isOver = ({ recordingId, termination }: RecordingRecord) =>
    known.unwanted(recordingId) || (termination !== undefined && isWantedEnd(termination));
  const last = recordings.findLastIndex(isOver);
  const later = recordings.slice(last + 1);
  if (later.length === 0) {
    const endedAt = recordings[last]?.endedAt;
    const waived = last >= 0 && (endedAt === undefined || endedAt >= wantedSince);
    return waived ? undefined : { reason: 'not-started', since: wantedSince };
  }
  const faults = later.map((recording) => faultOf(recording, wantedSince, known.stalledSince(recording.recordingId)));
  return faults.includes(undefined) ? undefined : faults.at(-1);
}

function faultOf(recording: RecordingRecord, wantedSince: Date, stalledSince: Date | undefined): Missing | undefined {
  const { attempts, startedAt, endedAt, pauses, gaps, termination } = recording;
  if (termination !== undefined) return { reason: termination.reason, since: endedAt ?? wantedSince };
  const pause = pauses.at(-1);
  if (pause !== undefined && pause.endedAt === undefined)
    return pause.reason === 'operator' || pause.reason === 'party' ? undefined : fault(pause.reason, pause.beganAt);
  if (startedAt === undefined) return fault(attempts.at(-1)?.failure?.reason ?? 'not-started', wantedSince);
  if (stalledSince !== undefined) return fault('media-stalled', stalledSince);
  const gap = gaps.at(-1);
  return gap !== undefined && gap.endedAt === undefined ? fault(gap.reason, gap.beganAt) : undefined;

  function fault(reason: string, since: Date | undefined): Missing {
    return { reason, since: new Date(Math.max((since ?? wantedSince).getTime(), wantedSince.getTime())) };
  }
}
