// Ends and pauses of a recording that somebody who may have it wanted: an operator, a party, the policy. Nothing is missing by them. Pure.
import type { TerminationReason } from './termination.js';

const ends: readonly string[] = [
  'ended-by-operator',
  'declined-by-party',
  'seller-not-listed',
] satisfies TerminationReason[];

/** Whether somebody who may have it end has ended it. */
export function isWantedEnd({ reason }: { readonly reason: string }): boolean {
  return ends.includes(reason);
}

/** Whether it was one of us that wanted the pause; else it was the recorder. */
export function isWantedPause({ reason }: { readonly reason: string }): boolean {
  return reason === 'operator' || reason === 'party';
}
