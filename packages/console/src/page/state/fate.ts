/** What has become of a call that somebody has open. Pure. */
import type { Call, CallRecord, LiveCalls } from '../api/shapes.js';

/** `lost`: gone with its instance. `unknown`: nobody lists it, and its instance is not there to say that it has ended. */
export type Fate = 'live' | 'over' | 'lost' | 'unknown';

/** @param record of it, where there is one: it has ended then, wherever else it stands */
export function fateOf(
  { callId, instance }: Pick<Call, 'callId' | 'instance'>,
  { calls, lost, instances }: LiveCalls,
  record: CallRecord | undefined,
): Fate {
  const isThis = (one: Pick<Call, 'callId'>): boolean => one.callId === callId;
  if (calls.some(isThis)) return 'live';
  if (record !== undefined) return 'over';
  if (lost.some(isThis)) return 'lost';
  return instances.some((one) => one.instance === instance && one.state === 'live') ? 'over' : 'unknown';
}
