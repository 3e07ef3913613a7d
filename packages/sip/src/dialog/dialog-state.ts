// A dialog as plain data (RFC 3261 §12): whoever holds the JSON of it can go on with the dialog, in any process.
import { formatNameAddr, type NameAddr, parseNameAddr, tagOf } from '../message/name-addr.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { parseUri } from '../message/uri.js';
import { malformed, SipError } from '../sip-error.js';

/** Everything that RFC 3261 §12 asks to remember; JSON-serialisable. */
export interface DialogState {
  readonly callId: string;
  readonly localTag: string;
  /** Empty for a peer of RFC 2543, which has no tags (§12.1.1). */
  readonly remoteTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  /** CSeq number of our last request; 0 before the first one. */
  readonly localCseq: number;
  /** CSeq number of the peer's last request, absent before the first one. */
  readonly remoteCseq?: number;
  /** URI of the peer's Contact. */
  readonly remoteTarget: string;
  /** Route header values, the next hop first. */
  readonly routeSet: readonly string[];
  /** The dialog was made by a SIPS request: every request in it goes to SIPS URIs (§12.1.1). */
  readonly secure: boolean;
  readonly role: 'uac' | 'uas';
  readonly state: 'early' | 'confirmed' | 'terminated';
  /** Our Contact header value, with its parameters. */
  readonly localContact: string;
}

/**
 * The dialog that a response with a To tag makes at the UAC, §12.1.2: early for 101–199, confirmed for 2xx.
 * @throws SipError `malformed` when a 2xx has no usable Contact or Record-Route.
 */
export function dialogFromResponse(request: SipRequest, response: SipResponse): DialogState {
  const confirmed = response.status >= 200;
  const contact = response.contacts[0]?.uri;
  // A provisional response may lack the Contact; until one comes, requests go where the INVITE went.
  if (contact === undefined && confirmed)
    throw new SipError('malformed', 'Contact: missing in a 2xx that makes a dialog');
  return {
    callId: response.callId,
    localTag: tagOf(request.from) ?? '',
    remoteTag: tagOf(response.to) ?? '',
    localUri: request.from.uri,
    remoteUri: request.to.uri,
    localCseq: request.cseq.number,
    remoteTarget: contact === undefined ? request.uri : checkedTarget(contact),
    routeSet: recordRoute(response).reverse(),
    secure: isSips(request.uri),
    role: 'uac',
    state: confirmed ? 'confirmed' : 'early',
    localContact: request.headers.get('Contact') ?? '',
  };
}

/**
 * The dialog that answering a request makes at the UAS, §12.1.1. `contact` is our Contact header value; in a secure dialog
 * its URI becomes SIPS, as §12.1.1 demands.
 * @throws SipError `malformed` when the request has no usable Contact or Record-Route; it is then answered 400.
 */
export function dialogFromRequest(
  request: SipRequest,
  toTag: string,
  contact: string,
  state: 'early' | 'confirmed',
): DialogState {
  // A client of RFC 2543, known by the lack of a tag, may leave Contact out and is reached at its From (RFC 4475 §3.4.1).
  const remote = request.contacts[0]?.uri ?? (tagOf(request.from) === undefined ? request.from.uri : undefined);
  if (remote === undefined) {
    throw new SipError('malformed', 'Contact: missing in a request that makes a dialog', { status: 400 });
  }
  const routeSet = recordRoute(request);
  const secure = isSips(request.uri) || isSips(nextUri(routeSet) ?? remote);
  return {
    callId: request.callId,
    localTag: toTag,
    remoteTag: tagOf(request.from) ?? '',
    localUri: request.to.uri,
    remoteUri: request.from.uri,
    localCseq: 0,
    remoteCseq: request.cseq.number,
    remoteTarget: checkedTarget(remote),
    routeSet,
    secure,
    role: 'uas',
    state,
    localContact: secure ? sipsContact(contact) : contact,
  };
}

/** The URI to which the next request of the dialog is sent first: the topmost route, else the remote target. */
export function nextHopUri(dialog: DialogState): string {
  return nextUri(dialog.routeSet) ?? dialog.remoteTarget;
}

/** Checks that a remote target is a SIP or SIPS URI (RFC 3261 §8.1.1.8, §12.1.1). @throws SipError `malformed` */
export function checkedTarget(uri: string): string {
  const { scheme } = parseUri(uri);
  if (scheme !== 'sip' && scheme !== 'sips') throw malformed(`Contact or Record-Route: a ${scheme} URI`);
  return uri;
}

function nextUri(routeSet: readonly string[]): string | undefined {
  const first = routeSet[0];
  return first === undefined ? undefined : parseNameAddr(first, 'Route').uri;
}

// Kept as header values, because route parameters outside the URI are to be sent back as well.
function recordRoute(message: SipRequest | SipResponse): string[] {
  return message.headers.values('Record-Route').map((value) => {
    checkedTarget(parseNameAddr(value, 'Record-Route').uri);
    return value;
  });
}

/** Whether a URI is a SIPS URI. */
export function isSips(uri: string): boolean {
  return /^sips:/i.test(uri);
}

/** The Contact as it must be where the other side was addressed by SIPS (RFC 3261 §8.1.1.8, §12.1.1). */
export function sipsContact(contact: string): string {
  const address: NameAddr = parseNameAddr(contact, 'Contact');
  return /^sip:/i.test(address.uri) ? formatNameAddr({ ...address, uri: `sips:${address.uri.slice(4)}` }) : contact;
}
