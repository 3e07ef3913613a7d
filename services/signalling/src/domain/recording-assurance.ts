// Whether a live call is recorded now, as the policy wants it: what was decided, what recorders took and what the relay says of media are
// compared. Pure.
import type { CallRecord, RecordingRecord } from '@sidestream/proto/records/v1';
import { isWantedEnd } from './recording-verdict.js';

/** Why it is not recorded: these, or the reason of a termination. */
export type MissingReason = 'not-started' | 'media-stalled' | string;

export interface Missing {
  readonly reason: MissingReason;
  readonly since: Date;
}

export type AssuredCall = Pick<CallRecord, 'answeredAt' | 'decision' | 'recordings'>;

/**
 * What is missing, and since when; undefined while nothing is. Of several recordings at once one is enough.
 *
 * @param stalled since when the relay says that nothing leaves for a recording
 */
export function missingNow(
  { answeredAt, decision, recordings }: AssuredCall,
  stalled: (recordingId: string) => Date | undefined,
): Missing | undefined {
  if (answeredAt === undefined || decision?.record !== true) return undefined;
  if (recordings.length === 0) return { reason: 'not-started', since: answeredAt };
  const faults = recordings.map((recording) => faultOf(recording, answeredAt, stalled(recording.recordingId)));
  return faults.includes(undefined) ? undefined : faults.at(-1);
}

function faultOf(recording: RecordingRecord, answeredAt: Date, stalledSince: Date | undefined): Missing | undefined {
  const { attempts, startedAt, endedAt, pauses, gaps, termination } = recording;
  if (termination !== undefined)
    return isWantedEnd(termination) ? undefined : { reason: termination.reason, since: endedAt ?? answeredAt };
  const pause = pauses.at(-1);
  if (pause !== undefined && pause.endedAt === undefined)
    return pause.reason === 'operator' || pause.reason === 'party' ? undefined : fault(pause.reason, pause.beganAt);
  if (startedAt === undefined) return fault(attempts.at(-1)?.failure?.reason ?? 'not-started', answeredAt);
  if (stalledSince !== undefined) return fault('media-stalled', stalledSince);
  const gap = gaps.at(-1);
  return gap !== undefined && gap.endedAt === undefined ? fault(gap.reason, gap.beganAt) : undefined;

  function fault(reason: string, since: Date | undefined): Missing {
    return { reason, since: new Date(Math.max((since ?? answeredAt).getTime(), answeredAt.getTime())) };
  }
}
