// The order of reliable provisional responses at the UAC, RFC 3262 §4. Pure.

/** RSeq of the last response taken in order, by the To tag of its sender: every early dialog of a fork counts for itself. */
export type ReceivedOrder = ReadonlyMap<string, number>;

export const nothingReceived: ReceivedOrder = new Map();

/** More branches than any fork has; further ones are not acknowledged. */
const maxBranches = 64;

/**
 * Takes a reliable provisional response.
 *
 * - `accept`: acknowledge it with a PRACK and process it.
 * - `repeat`: the same response again; the PRACK is on its way, discard it.
 * - `drop`: one before it is missing (or it is an old one): it MUST NOT be acknowledged nor processed. The sender repeats it.
 */
export function receiveReliable(
  order: ReceivedOrder,
  remoteTag: string,
  rseq: number,
): { readonly order: ReceivedOrder; readonly verdict: 'accept' | 'repeat' | 'drop' } {
  const last = order.get(remoteTag);
  if (last === undefined && order.size >= maxBranches) return { order, verdict: 'drop' };
  if (last !== undefined && rseq === last) return { order, verdict: 'repeat' };
  if (last !== undefined && rseq !== last + 1) return { order, verdict: 'drop' };
  return { order: new Map([...order, [remoteTag, rseq]]), verdict: 'accept' };
}
