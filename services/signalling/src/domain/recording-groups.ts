// The recordings of a call, those together that it has at the same time (`recording.parallel`). Groups follow each other. Pure.
import type { RecordingRecord } from '@sidestream/proto/records/v1';

/** What a recording is part of. */
export interface RecordingGroup {
  /** Common to the recordings of the group. */
  readonly groupId: string;
  /** `any`: the call is recorded while one of them records; `all`: only while every one does. */
  readonly needs: 'any' | 'all';
}

export interface GroupedRecordings extends Pick<RecordingGroup, 'needs'> {
  readonly recordings: readonly RecordingRecord[];
}

/**
 * In the order of their first recordings.
 * @param groupOf undefined for a recording that was alone
 */
export function grouped(
  recordings: readonly RecordingRecord[],
  groupOf: (recordingId: string) => RecordingGroup | undefined,
): GroupedRecordings[] {
  const groups = new Map<string, { readonly needs: 'any' | 'all'; readonly recordings: RecordingRecord[] }>();
  for (const recording of recordings) {
    const { groupId, needs } = groupOf(recording.recordingId) ?? { groupId: recording.recordingId, needs: 'all' };
    const known = groups.get(groupId);
    if (known === undefined) groups.set(groupId, { needs, recordings: [recording] });
    else known.recordings.push(recording);
  }
  return [...groups.values()];
}
