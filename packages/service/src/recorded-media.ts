// What of the parties' voices has reached recorders, as the record of a recording counts it: for the verdict, the metrics and whoever reads
// records. Pure.
import type { RecordingRecord } from '@sidestream/proto/records/v1';

/** Packets of one voice that a recording should have, and how many of them left for a recorder. */
export interface LostVoice {
  /** "customer" or "seller". */
  readonly party: string;
  readonly due: number;
  readonly copied: number;
}

/** A second of voice, in packets of 20 ms: less is lost while a recorder holds for a moment, or a buffer is full. */
const tolerated = 50;

/** The voices of which nothing left although the party spoke, or a second and more did not. Empty where nobody could count. */
export function voicesLost({ due, copied }: Pick<RecordingRecord, 'due' | 'copied'>): LostVoice[] {
  if (copied.length === 0) return [];
  return due.flatMap(({ party, packets }) => {
    const [sent, left] = [Number(packets), Number(copied.find((one) => one.party === party)?.packets ?? 0n)];
    const isLost = sent > 0 && (left === 0 || sent - left >= tolerated);
    return isLost ? [{ party, due: sent, copied: left }] : [];
  });
}

/** Whether media is known to have left for a recorder: the relay saw it leave, or counted it at the end. */
export function isMediaConfirmed({ attempts, copied }: Pick<RecordingRecord, 'attempts' | 'copied'>): boolean {
  return (
    attempts.some(({ mediaConfirmedAt }) => mediaConfirmedAt !== undefined) ||
    copied.some(({ packets }) => packets > 0n)
  );
}
