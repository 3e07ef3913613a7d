// How dialogs are told apart: Call-ID, local tag, remote tag (RFC 3261 §12).
import { tagOf } from '../message/name-addr.js';
import type { SipMessage } from '../message/sip-message.js';

/** A key for maps, the same for all messages of a dialog; `dialogId(state)` works on any DialogState. */
export function dialogId(parts: {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}): string {
  // No header value holds a line end, so the parts cannot run into each other.
  return `${parts.callId}\n${parts.localTag}\n${parts.remoteTag}`;
}

/** The dialog that a received message belongs to: our tag is in To of a request, in From of a response (§12.2.2). */
export function dialogIdOf(message: SipMessage): string {
  const from = tagOf(message.from) ?? '';
  const to = tagOf(message.to) ?? '';
  const [localTag, remoteTag] = message.kind === 'request' ? [to, from] : [from, to];
  return dialogId({ callId: message.callId, localTag, remoteTag });
}
