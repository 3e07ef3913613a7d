/** Finding calls in a long list. */
import type { Call } from '../api/shapes.js';
import { capital, currentRecording, recordingCondition } from './conditions.js';

/** More rows help nobody, and a browser has to lay them out every second. */
export const mostRows = 200;

/** Those calls of which every word is found in what the page shows of them. */
export function searchCalls(calls: readonly Call[], words: string): readonly Call[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return calls;
  return calls.filter((call) => {
    const text = shown(call).join('\n').toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

function shown(call: Call): readonly string[] {
  const { callId, tenant, trunk, direction, phase, calling, called, decision, instance } = call;
  const parties = [calling, called].flatMap((party) => (party === undefined ? [] : [party.uri, party.name]));
  const recording = [currentRecording(call)?.recorder ?? '', recordingCondition(call).word];
  return [callId, tenant, trunk, direction, phase, instance, capital(decision?.reason ?? ''), ...parties, ...recording];
}
