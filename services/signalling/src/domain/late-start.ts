// What a recording lacks because nobody recorded it at first. Pure.
import type { RecordingRecord, Stretch } from '@sidestream/proto/records/v1';
import { isWantedPause } from './recording-wishes.js';

/** What is missing for less than that is on its way. */
export const missingAfterMs = 5_000;

export interface LateStart {
  /** From the wish to record, or the call's answer where that came later, to the first media. */
  readonly gap: Stretch;
  /** Its length without what an operator or a party wanted paused. */
  readonly lateMs: number;
}

/**
 * @param wantedAt when the call was up and to be recorded
 * @returns undefined for a recording that started in time
 */
export function lateStart(
  { attempts, pauses }: Pick<RecordingRecord, 'attempts' | 'pauses'>,
  wantedAt: Date,
  startedAt: Date,
): LateStart | undefined {
  const pausedMs = pauses.filter(isWantedPause).reduce((ms, pause) => ms + within(pause, wantedAt, startedAt), 0);
  const lateMs = startedAt.getTime() - wantedAt.getTime() - pausedMs;
  if (lateMs < missingAfterMs) return undefined;
  // A recorder that has taken it and wants no media comes after those that were given up.
  const waited = pauses.findLast((pause) => !isWantedPause(pause))?.reason;
  const reason = waited ?? attempts.findLast(({ failure }) => failure !== undefined)?.failure?.reason ?? 'not-started';
  return { gap: { beganAt: wantedAt, endedAt: startedAt, reason }, lateMs };
}

function within({ beganAt, endedAt }: Stretch, from: Date, to: Date): number {
  const began = Math.max(beganAt?.getTime() ?? 0, from.getTime());
  return Math.max(0, Math.min(endedAt?.getTime() ?? Number.POSITIVE_INFINITY, to.getTime()) - began);
}
