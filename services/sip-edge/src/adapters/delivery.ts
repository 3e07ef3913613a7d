// SIP messages on their way to an application: each with the meta line that drachtio-server would give it.
import { randomUUID } from 'node:crypto';
import { certificateNamesHeader, edgeHeaders, type Span, traceHeader, traceHeaders } from '@sidestream/service';
import { type Flow, type SipMessage, type SipRequest, type SipResponse, serialiseMessage } from '@sidestream/sip';
import {
  formatRequestEcho,
  formatResponseEcho,
  formatSip,
  type MessageOrigin,
  type Placement,
} from '../domain/meta.js';
import type { AdminClient } from './admin-client.js';

/** A message that came from the network, and its trace. drachtio-server leaves the protocol of an ACK empty. */
export function deliver(client: AdminClient, message: SipMessage, flow: Flow, at: Placement, span?: Span): void {
  const bytes = serialiseMessage(withEdgeHeaders(message, flow, span));
  const isAck = message.kind === 'request' && message.method === 'ACK';
  const origin = originOf(bytes, isAck ? '' : flow.protocol, flow.remote);
  client.send(formatSip(randomUUID(), 'network', origin, at), bytes);
}

/** What a peer has proved of itself, and the trace, stand in header fields of ours; what it says there itself is taken away. */
function withEdgeHeaders(message: SipMessage, { tls }: Flow, span: Span | undefined): SipMessage {
  const isInvite = message.kind === 'request' && message.method === 'INVITE';
  const names = isInvite ? (tls?.peerIdentities ?? []) : [];
  const { traceparent } = traceHeaders(span);
  if (names.length === 0 && traceparent === undefined && !edgeHeaders.some((name) => message.headers.has(name)))
    return message;
  const told = message.clone();
  for (const name of edgeHeaders) told.headers.delete(name);
  if (names.length > 0) told.headers.append(certificateNamesHeader, names.join(','));
  if (traceparent !== undefined) told.headers.append(traceHeader, traceparent);
  return told;
}

/** A response that the edge made because the network gave none: no bytes, no address. */
export function deliverInternal(client: AdminClient, response: SipResponse, protocol: string, at: Placement): void {
  const origin = { bytes: 0, protocol, address: '', port: 0, time: new Date() };
  client.send(formatSip(randomUUID(), 'network', origin, at), serialiseMessage(response));
}

/** A request that the edge sent by itself, e.g. the BYE of a call that was never acknowledged. No answer is expected. */
export function deliverUnsolicited(client: AdminClient, request: SipRequest, flow: Flow, dialogId: string): void {
  const bytes = serialiseMessage(request);
  const origin = originOf(bytes, flow.protocol, flow.reliable ? flow.remote : flow.local);
  const at: Placement = { kind: 'in-dialog', transactionId: 'unsolicited', dialogId };
  client.send(formatSip(randomUUID(), 'application', origin, at), bytes);
}

/** Tells the application how its request went out. On UDP the address is the edge's own, on streams the peer's. */
export function echoRequest(
  client: AdminClient,
  frameId: string,
  request: SipRequest,
  flow: Flow | undefined,
  transactionId: string,
): void {
  const bytes = serialiseMessage(request);
  const origin =
    flow === undefined
      ? { bytes: 0, protocol: 'unknown', address: '', port: 0, time: new Date() }
      : originOf(bytes, flow.protocol, flow.reliable ? flow.remote : flow.local);
  client.send(formatRequestEcho(randomUUID(), frameId, origin, transactionId), bytes);
}

/** Tells the application how its response went out. Only answers to INVITE show the protocol. */
export function echoResponse(
  client: AdminClient,
  frameId: string,
  response: SipResponse,
  flow: Flow,
  transactionId: string,
  dialogId: string,
): void {
  const bytes = serialiseMessage(response);
  const origin = originOf(bytes, response.cseq.method === 'INVITE' ? flow.protocol : '', flow.remote);
  client.send(formatResponseEcho(randomUUID(), frameId, origin, transactionId, dialogId), bytes);
}

function originOf(bytes: Buffer, protocol: string, { host, port }: { host: string; port: number }): MessageOrigin {
  return { bytes: bytes.length, protocol, address: host, port, time: new Date() };
}
