// Whether a live call is recorded now, as the policy wants it: what was decided, what recorders took and what the relay says of media are
// compared. Pure.
import type { CallRecord, RecordingRecord } from '@sidestream/proto/records/v1';
import type { Party } from './parties.js';
import { grouped, type RecordingGroup } from './recording-groups.js';
import { isWantedEnd, isWantedPause } from './recording-wishes.js';
import type { TerminationReason } from './termination.js';

/** Why it is not recorded. */
export type MissingReason = string;

/** Those that are no end of a recording or of a recorder. */
type Fault = 'not-started' | 'media-stalled' | `${Party}-voice-refused`;

/** The usual reasons; another one of a termination may come. */
export const missingReasons: readonly (Fault | TerminationReason)[] = [
  'not-started',
  'media-stalled',
  'customer-voice-refused',
  'seller-voice-refused',
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
  /** What the recorder that has a recording does not take of it. */
  readonly refused: (recordingId: string) => Missing | undefined;
  /** Somebody who may have it wants this recording to end. */
  readonly unwanted: (recordingId: string) => boolean;
  readonly groupOf: (recordingId: string) => RecordingGroup | undefined;
}

/**
 * What is missing, and since when; undefined while nothing is. Recordings follow each other: after one that somebody wanted to end only later
 * ones count, and none has to come before the call is wanted again. Of several at once one is enough, or each is needed.
 */
export function missingNow({ recordings }: AssuredCall, known: Assurances): Missing | undefined {
  const { wantedSince } = known;
  if (wantedSince === undefined) return undefined;
  const isOver = ({ recordingId, termination }: RecordingRecord) =>
    known.unwanted(recordingId) || (termination !== undefined && isWantedEnd(termination));
  const last = recordings.findLastIndex(isOver);
  const newest = grouped(recordings.slice(last + 1), known.groupOf).at(-1);
  if (newest === undefined) {
    const endedAt = recordings[last]?.endedAt;
    const waived = last >= 0 && (endedAt === undefined || endedAt >= wantedSince);
    return waived ? undefined : { reason: 'not-started', since: wantedSince };
  }
  const faults = newest.recordings.map((recording) => faultOf(recording, wantedSince, known));
  if (newest.needs === 'all') return faults.find((fault) => fault !== undefined);
  return faults.includes(undefined) ? undefined : faults.at(-1);
}

function faultOf(recording: RecordingRecord, wantedSince: Date, known: Assurances): Missing | undefined {
  const { recordingId, attempts, startedAt, endedAt, pauses, gaps, termination } = recording;
  if (termination !== undefined) return { reason: termination.reason, since: endedAt ?? wantedSince };
  const pause = pauses.at(-1);
  if (pause !== undefined && pause.endedAt === undefined)
    return isWantedPause(pause) ? undefined : fault(pause.reason, pause.beganAt);
  if (startedAt === undefined) return fault(attempts.at(-1)?.failure?.reason ?? 'not-started', wantedSince);
  const stalledSince = known.stalledSince(recordingId);
  if (stalledSince !== undefined) return fault('media-stalled', stalledSince);
  const gap = gaps.at(-1);
  if (gap !== undefined && gap.endedAt === undefined) return fault(gap.reason, gap.beganAt);
  const refused = known.refused(recordingId);
  return refused && fault(refused.reason, refused.since);

  function fault(reason: string, since: Date | undefined): Missing {
    return { reason, since: new Date(Math.max((since ?? wantedSince).getTime(), wantedSince.getTime())) };
  }
}
