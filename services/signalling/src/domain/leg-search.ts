// Which leg of the live calls a Replaces names (RFC 3891 §3), and who may name it: only somebody of the same tenant and the same side, or whom
// that leg's party has asked, for whoever it is takes its place.
import type { Trunk } from '@sidestream/routing';
import type { Replaces } from '@sidestream/sip';
import type { CallSide } from './call-join.js';
import type { TransferableCall } from './call-transfer.js';
import type { Side } from './offer-answer.js';

/** What of a call is looked through. */
export interface SearchedCall {
  readonly transferable: TransferableCall;
  /** Call-ID of the caller's INVITE, whose dialog is early until we answer. */
  readonly nearSipCallId: string;
}

/**
 * The leg; a status where it is not to be replaced; undefined where no call of ours has such a dialog.
 *
 * @param from the trunk of who names it
 */
export function findLeg(
  calls: readonly SearchedCall[],
  replaces: Replaces,
  from: Trunk,
): CallSide | { readonly refused: number } | undefined {
  for (const { transferable: call, nearSipCallId } of calls) {
    const side = (['near', 'far'] as const).find((one) => names(replaces, call, one));
    const early = side === undefined && nearSipCallId === replaces.callId && call.legs.near === undefined;
    if (side === undefined && !early) continue;
    const trunk = call.members.trunkOf(side ?? 'near');
    // To others it says no more than that there is none. An early dialog that the peer has begun is not replaced either.
    if (side === undefined || trunk.tenant !== from.tenant) return { refused: 481 };
    if (trunk.side !== from.side && call.admitted.get(side) !== from.name) return { refused: 481 };
    if (replaces.earlyOnly) return { refused: 486 };
    if (call.signal.aborted) return { refused: 603 };
    if (call.legs.offers === undefined) return { refused: 481 };
    return { call, side };
  }
  return undefined;
}

/** `to` is our own tag, `from` the peer's. */
function names({ callId, toTag, fromTag }: Replaces, { legs }: TransferableCall, side: Side): boolean {
  const dialog = legs.of(side)?.dialog;
  return dialog?.sipCallId === callId && dialog.localTag === toTag && dialog.remoteTag === fromTag;
}
