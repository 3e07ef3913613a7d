/** Which lists an event concerns. Only its kind is looked at: what is shown is always read whole, so no event can be misread. */
import type { ListName } from '../api/shapes.js';

export const listNames: readonly ListName[] = ['calls', 'recorders', 'relays', 'policies', 'registrations', 'records'];

const concerned: ReadonlyMap<string, readonly ListName[]> = new Map([
  ['call', ['calls', 'relays']],
  ['recording', ['calls', 'recorders']],
  ['media', ['relays']],
  ['policy', ['policies']],
  ['registration', ['registrations']],
]);

/** @param kind as in "call.answered"; an unknown one concerns everything */
export function listsConcernedBy(kind: string): readonly ListName[] {
  const [thing = '', what] = kind.split('.');
  const lists = concerned.get(thing) ?? listNames;
  return what === 'ended' || what === 'failed' ? [...new Set<ListName>([...lists, 'records'])] : lists;
}
