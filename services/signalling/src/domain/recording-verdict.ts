// Whether a call that is over was recorded, measured by what the policy wanted, what recorders took and what the relay saw leave. Pure.
import { type CallRecord, type RecordingRecord, Verdict } from '@sidestream/proto/records/v1';
import { isMediaConfirmed, voicesLost } from '@sidestream/service';
import { type GroupedRecordings, grouped, type RecordingGroup } from './recording-groups.js';
import { isWantedEnd, isWantedPause } from './recording-wishes.js';

/** What a record does not say. */
export interface VerdictHints {
  readonly groupOf: (recordingId: string) => RecordingGroup | undefined;
  /** It was told of the live call that its recording is missing. */
  readonly wasMissing: boolean;
}

/**
 * What all of the call's recordings came to: those that followed each other together, of those that ran at the same time as many as the call
 * needed. It never says more than what was told while the call lived.
 */
export function verdictOf(
  { answeredAt, decision, recordings }: Pick<CallRecord, 'answeredAt' | 'decision' | 'recordings'>,
  { groupOf, wasMissing }: VerdictHints,
): Verdict {
  if (answeredAt === undefined) return Verdict.NOT_EXPECTED;
  if (decision?.record !== true && recordings.length === 0) return Verdict.NOT_EXPECTED;
  const groups = grouped(recordings, groupOf);
  const stretches = groups.map(ofGroup).filter((one) => one !== undefined);
  const verdict = together(stretches) ?? (recordings.length === 0 ? Verdict.MISSING : Verdict.WAIVED);
  if (verdict === Verdict.PARTIAL || verdict === Verdict.MISSING) return verdict;
  if (wasMissing)
    return recordings.some(({ startedAt }) => startedAt !== undefined) ? Verdict.PARTIAL : Verdict.MISSING;
  return isWaived(groups.at(-1)) ? Verdict.WAIVED : verdict;
}

/** From the best to the worst. */
const ranked = [Verdict.COMPLETE, Verdict.UNCONFIRMED, Verdict.PARTIAL, Verdict.MISSING] as const;
type Ranked = (typeof ranked)[number];

/** Undefined where nothing was wanted of any. */
function ofGroup({ needs, recordings }: GroupedRecordings): Ranked | undefined {
  const each = recordings.map(ofOne).filter((one) => one !== undefined);
  return needs === 'all' ? together(each) : ranked.find((verdict) => each.includes(verdict));
}

/** What parts, each of which is needed, make of the whole. */
function together(parts: readonly Ranked[]): Ranked | undefined {
  if (parts.length === 0) return undefined;
  if (parts.every((part) => part === Verdict.MISSING)) return Verdict.MISSING;
  if (parts.some((part) => part === Verdict.MISSING || part === Verdict.PARTIAL)) return Verdict.PARTIAL;
  return parts.includes(Verdict.UNCONFIRMED) ? Verdict.UNCONFIRMED : Verdict.COMPLETE;
}

/** Until the call's end, or the end that somebody wanted; undefined where nobody wanted media before that. */
function ofOne(recording: RecordingRecord): Ranked | undefined {
  const { copied, gapMs, gaps, pauses, startedAt, termination } = recording;
  const ended = termination !== undefined && isWantedEnd(termination);
  // Nobody wanted it any more, or a recorder had taken it, and an operator or a party wanted no media.
  if (startedAt === undefined) return ended || pauses.some(isWantedPause) ? undefined : Verdict.MISSING;
  const lost = voicesLost(recording);
  if (lost.length > 0 && copied.every(({ packets }) => packets === 0n)) return Verdict.MISSING;
  if (lost.length > 0 || gapMs > 0 || gaps.some(({ endedAt }) => endedAt === undefined)) return Verdict.PARTIAL;
  if (termination?.reason !== 'call-ended' && !ended) return Verdict.PARTIAL;
  return copied.length > 0 && isMediaConfirmed(recording) ? Verdict.COMPLETE : Verdict.UNCONFIRMED;
}

/** Whether somebody has ended the last recordings while the call went on, or wanted no media of them. */
function isWaived(last: GroupedRecordings | undefined): boolean {
  if (last === undefined) return false;
  const ended = last.recordings.some(({ termination }) => termination !== undefined && isWantedEnd(termination));
  return ended || ofGroup(last) === undefined;
}
