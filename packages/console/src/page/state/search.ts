/** Finding calls in a long list. */
import type { Call, CallRecord, Party } from '../api/shapes.js';
import { capital, currentRecording, recordingCondition, terminationCondition, verdictCondition } from './conditions.js';

/** More rows help nobody, and a browser has to lay them out every second. */
export const mostRows = 200;

/** Those calls of which every word is found in what the page shows of them. */
export function searchCalls(calls: readonly Call[], words: string): readonly Call[] {
  return found(calls, words, (call) => {
    const { callId, tenant, trunk, direction, phase, decision, instance } = call;
    const recording = [currentRecording(call)?.recorder ?? '', recordingCondition(call).word];
    const missing = capital(call.missing?.reason ?? '');
    return [
      callId,
      tenant,
      trunk,
      direction,
      phase,
      instance,
      reasonOf(decision),
      ...partiesOf(call),
      ...recording,
      missing,
    ];
  });
}

/** The same for calls that are over. */
export function searchRecords(records: readonly CallRecord[], words: string): readonly CallRecord[] {
  return found(records, words, (record) => {
    const { callId, tenant, direction, decision, termination, recordings } = record;
    const ends = recordings.flatMap(({ recorder, termination: end }) => [recorder, terminationCondition(end).word]);
    const end = [terminationCondition(termination).word, termination?.detail ?? '', verdictCondition(record).word];
    return [callId, tenant, direction, reasonOf(decision), ...partiesOf(record), ...end, ...ends];
  });
}

function found<Item>(items: readonly Item[], words: string, shown: (item: Item) => readonly string[]): readonly Item[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return items;
  return items.filter((item) => {
    const text = shown(item).join('\n').toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

function reasonOf(decision: Call['decision']): string {
  return capital(decision?.reason ?? '');
}

function partiesOf({ calling, called }: { readonly calling?: Party; readonly called?: Party }): readonly string[] {
  return [calling, called].flatMap((party) => (party === undefined ? [] : [party.uri, party.name]));
}
