// Requests inside a dialog, both ways (RFC 3261 §12.2). Pure: a dialog goes in, the dialog after it comes out.

import { Headers } from '../message/headers.js';
import { formatNameAddr, parseNameAddr, tagOf } from '../message/name-addr.js';
import { SipRequest, type SipResponse } from '../message/sip-message.js';
import { formatUri, parseUri } from '../message/uri.js';
import { SipError } from '../sip-error.js';
import { checkedTarget, type DialogState } from './dialog-state.js';

/** Methods that may change the remote target: RFC 3261 §12.2.1.1, RFC 3311 §5.1, RFC 6665 §4.4.1. */
const targetRefresh = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

export interface DialogRequestInit {
  /** Lines beside those of the dialog; a line of the same name replaces the dialog's. */
  readonly headers?: Headers | undefined;
  readonly body?: Buffer | undefined;
  /** For an ACK: the CSeq number of its INVITE. */
  readonly cseq?: number | undefined;
}

/**
 * Builds a request in the dialog, §12.2.1.1: next CSeq number, request URI and Route from remote target and route set (loose
 * or strict), Contact where the method refreshes the target. An ACK takes the number of its INVITE (`cseq`, default the last
 * one) and changes nothing. Via is added when it is sent.
 */
export function requestInDialog(
  dialog: DialogState,
  method: string,
  init: DialogRequestInit = {},
): { dialog: DialogState; request: SipRequest } {
  const ack = method === 'ACK';
  const cseq = ack ? (init.cseq ?? dialog.localCseq) : Math.max(init.cseq ?? 0, dialog.localCseq + 1);
  const { uri, routes } = route(dialog);
  const headers = new Headers();
  for (const value of routes) headers.append('Route', value);
  headers.append('Max-Forwards', '70');
  headers.append('From', address(dialog.localUri, dialog.localTag));
  headers.append('To', address(dialog.remoteUri, dialog.remoteTag));
  headers.append('Call-ID', dialog.callId);
  headers.append('CSeq', `${cseq} ${method}`);
  if (targetRefresh.has(method) && dialog.localContact !== '') headers.append('Contact', dialog.localContact);
  const given = init.headers ?? new Headers();
  for (const name of new Set([...given].map(([name]) => name))) headers.set(name, ...given.all(name));
  return {
    dialog: ack ? dialog : { ...dialog, localCseq: cseq },
    request: new SipRequest({ method, uri, headers, body: init.body }),
  };
}

/**
 * Takes a request of the peer into the dialog, §12.2.2: order of CSeq numbers, refresh of the remote target.
 * @returns the dialog after it, or the status that refuses the request: 481 for another or an ended dialog, 500 out of order,
 * 400 for a Contact that cannot be used.
 */
export function receiveInDialog(
  dialog: DialogState,
  request: SipRequest,
): { dialog: DialogState; refuse?: never } | { dialog?: never; refuse: 400 | 481 | 500 } {
  const ours = request.callId === dialog.callId && (tagOf(request.to) ?? '') === dialog.localTag;
  if (!ours || (tagOf(request.from) ?? '') !== dialog.remoteTag || dialog.state === 'terminated')
    return { refuse: 481 };
  // An ACK has the number of its INVITE and is never answered.
  if (request.method === 'ACK') return { dialog };
  const { number } = request.cseq;
  if (dialog.remoteCseq !== undefined && number < dialog.remoteCseq) return { refuse: 500 };
  try {
    return { dialog: { ...refresh(dialog, request.method, request), remoteCseq: number } };
  } catch (error) {
    if (error instanceof SipError) return { refuse: 400 };
    throw error;
  }
}

/**
 * Takes a response to a request of ours into the dialog: a 2xx may refresh the remote target (§12.2.1.2).
 * A Contact that cannot be used leaves the old target.
 */
export function responseInDialog(dialog: DialogState, response: SipResponse): DialogState {
  if (response.status < 200 || response.status >= 300) return dialog;
  try {
    return refresh(dialog, response.cseq.method, response);
  } catch (error) {
    if (error instanceof SipError) return dialog;
    throw error;
  }
}

function refresh(dialog: DialogState, method: string, message: SipRequest | SipResponse): DialogState {
  const contact = targetRefresh.has(method) ? message.contacts[0] : undefined;
  return contact === undefined ? dialog : { ...dialog, remoteTarget: checkedTarget(contact.uri) };
}

/** Request URI and Route values, §12.2.1.1. */
function route({ routeSet, remoteTarget }: DialogState): { uri: string; routes: readonly string[] } {
  const [first, ...rest] = routeSet;
  if (first === undefined) return { uri: remoteTarget, routes: [] };
  const next = parseUri(parseNameAddr(first, 'Route').uri);
  if (next.parameters.has('lr')) return { uri: remoteTarget, routes: routeSet };
  // A strict router expects itself in the request URI, without what §19.1.1 forbids there, and the target as last Route.
  const parameters = new Map([...next.parameters].filter(([name]) => name !== 'method'));
  return {
    uri: formatUri({ ...next, parameters, headers: undefined }),
    routes: [...rest, formatNameAddr({ uri: remoteTarget, parameters: new Map() })],
  };
}

function address(uri: string, tag: string): string {
  return formatNameAddr({ uri, parameters: tag === '' ? new Map() : new Map([['tag', tag]]) });
}
