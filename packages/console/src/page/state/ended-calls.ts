/** All the calls that are over: those of which there are records, and those that were lost with their instance. */
import type { CallRecord, LostCall } from '../api/shapes.js';

/** The newest first. A call whose instance only seemed to be gone has a record by and by, which counts. */
export function endedCalls(records: readonly CallRecord[], lost: readonly LostCall[]): CallRecord[] {
  const recorded = new Set(records.map(({ callId }) => callId));
  const others = lost.filter(({ callId }) => !recorded.has(callId)).map(recordOfLost);
  return [...others, ...records].sort((one, other) => endOf(other) - endOf(one));
}

/** What became of its recording nobody knows: its record went with the instance. */
function recordOfLost({ recordings: _, endedAt, answeredAt, ...call }: LostCall): CallRecord {
  const talkedMs = answeredAt && endedAt ? Date.parse(endedAt) - Date.parse(answeredAt) : 0;
  return { ...call, ...(endedAt !== undefined && { endedAt }), durationMs: talkedMs, recordings: [] };
}

function endOf({ endedAt }: CallRecord): number {
  return endedAt === undefined ? 0 : Date.parse(endedAt);
}
