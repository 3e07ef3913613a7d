// Whether a call that is over was recorded, measured by what the policy wanted, what recorders took and what the relay saw leave. Pure.
import { type CallRecord, type RecordingRecord, Verdict } from '@sidestream/proto/records/v1';
import { isMediaConfirmed, voicesLost } from '@sidestream/service';
import type { TerminationReason } from './termination.js';

/** Ends of a recording that somebody wanted. */
const wanted: readonly string[] = [
  'ended-by-operator',
  'declined-by-party',
  'seller-not-listed',
] satisfies TerminationReason[];

/** Whether somebody who may have it end has ended it. */
export function isWantedEnd({ reason }: { readonly reason: string }): boolean {
  return wanted.includes(reason);
}

/** The best that any of the call's recordings came to. */
export function verdictOf({
  answeredAt,
  decision,
  recordings,
}: Pick<CallRecord, 'answeredAt' | 'decision' | 'recordings'>): Verdict {
  const begun = recordings.some(({ startedAt }) => startedAt !== undefined);
  const last = recordings.at(-1)?.termination;
  const waived = last !== undefined && isWantedEnd(last);
  if (answeredAt === undefined) return Verdict.NOT_EXPECTED;
  if (decision?.record !== true && recordings.length === 0) return Verdict.NOT_EXPECTED;
  if (waived) return Verdict.WAIVED;
  if (!begun) return onlyPaused(recordings) ? Verdict.WAIVED : Verdict.MISSING;
  const each = recordings.filter(({ startedAt }) => startedAt !== undefined).map(ofOne);
  return ranked.find((verdict) => each.includes(verdict)) ?? Verdict.MISSING;
}

const ranked = [Verdict.COMPLETE, Verdict.UNCONFIRMED, Verdict.PARTIAL, Verdict.MISSING] as const;

function ofOne(recording: RecordingRecord): (typeof ranked)[number] {
  const { copied, gapMs, gaps, termination } = recording;
  const lost = voicesLost(recording);
  if (lost.length > 0 && copied.every(({ packets }) => packets === 0n)) return Verdict.MISSING;
  if (lost.length > 0 || gapMs > 0 || gaps.some(({ endedAt }) => endedAt === undefined)) return Verdict.PARTIAL;
  if (termination?.reason !== 'call-ended') return Verdict.PARTIAL;
  return isMediaConfirmed(recording) ? Verdict.COMPLETE : Verdict.UNCONFIRMED;
}

/** A recorder had taken it, and an operator or a party wanted no media. */
function onlyPaused(recordings: readonly RecordingRecord[]): boolean {
  return recordings.some(({ pauses }) => pauses.some(({ reason }) => reason === 'operator' || reason === 'party'));
}
