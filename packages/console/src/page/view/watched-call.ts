/** The one call that is open is looked at more often than the list. */
import { useEffect, useState } from 'preact/hooks';
import type { Gateway } from '../api/gateway.js';
import type { Call } from '../api/shapes.js';
import { pause } from '../state/pause.js';

/** Between two looks; the relay measures once a second. */
const lookEveryMs = 1_000;

/**
 * The call as it is, with how its voices flow; as it is given until the first answer, and whenever there is none: what is wrong then,
 * the list finds and tells.
 * @param isCurrent whether there is anything to look at
 */
export function useWatchedCall(gateway: Gateway, call: Call, isCurrent: boolean): Call {
  const [seen, setSeen] = useState<Call | undefined>();
  const { callId } = call;
  useEffect(() => {
    const left = new AbortController();
    const look = async (): Promise<void> => {
      while (!left.signal.aborted) {
        const found = await gateway.call(callId).catch(() => undefined);
        if (!left.signal.aborted) setSeen(found);
        await pause(lookEveryMs, left.signal);
      }
    };
    if (isCurrent) void look();
    return () => left.abort();
  }, [gateway, callId, isCurrent]);
  if (!isCurrent || seen === undefined) return call;
  // The list hears of changes first; of the voices it knows less.
  const voicesOf = (id: string) => seen.recordings.find(({ recordingId }) => recordingId === id)?.voices ?? [];
  const recordings = call.recordings.map((one) => ({ ...one, voices: voicesOf(one.recordingId) }));
  return { ...call, recordings, voices: seen.voices ?? [] };
}
