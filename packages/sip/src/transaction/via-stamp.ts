// What the transport side writes into the top Via: our own on requests that leave, the source on requests that arrive.
import { formatHostPort, parseHostPort } from '../message/host.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { formatVia } from '../message/via.js';
import type { Flow } from '../transport/flow.js';

/** Sent-by of our Via: `host` or `host:port`, or what to make of the flow; the port defaults to the flow's own. */
export type ViaHost = string | ((flow: Flow) => string);

/** A copy of the request with a Via of ours on top: RFC 3261 §18.1.1, with `rport` over UDP (RFC 3581 §3). */
export function withVia(request: SipRequest, flow: Flow, branch: string, viaHost?: ViaHost): SipRequest {
  const text = typeof viaHost === 'function' ? viaHost(flow) : viaHost;
  const sentBy = text === undefined ? flow.local : parseHostPort(text, 'viaHost');
  const parameters = new Map<string, string | null>([['branch', branch]]);
  if (flow.protocol === 'udp') parameters.set('rport', null);
  const stamped = request.clone();
  stamped.headers.prepend(
    'Via',
    formatVia({
      transport: flow.protocol.toUpperCase(),
      host: sentBy.host,
      port: sentBy.port ?? flow.local.port,
      parameters,
    }),
  );
  return stamped;
}

/**
 * Notes in the top Via where a request really came from: `received` when sent-by names another host (RFC 3261 §18.2.1),
 * `received` and `rport` when the client asked for it (RFC 3581 §4). Changes the request.
 */
export function stampSource(request: SipRequest, flow: Flow): void {
  const via = request.topVia;
  const { host, port } = flow.remote;
  const askedForPort = via.parameters.has('rport');
  if (!askedForPort && formatHostPort(via.host, undefined) === formatHostPort(host, undefined)) return;
  const parameters = new Map(via.parameters);
  parameters.set('received', host);
  if (askedForPort) parameters.set('rport', String(port));
  const [, ...rest] = request.headers.values('Via');
  request.headers.set('Via', formatVia({ ...via, parameters }), ...rest);
}

/**
 * The port to which a response over UDP goes when that is not the source port: a client without `rport` listens on the port
 * of its sent-by (RFC 3261 §18.2.2). undefined = back on the flow.
 */
export function separateResponsePort(request: SipRequest, flow: Flow): number | undefined {
  const via = request.topVia;
  if (flow.protocol !== 'udp' || via.parameters.has('rport')) return undefined;
  const port = via.port ?? 5060;
  return port === flow.remote.port ? undefined : port;
}

/** Whether a response holds more Vias than its request had: it was for someone else and went astray (RFC 3261 §8.1.3.3). */
export function hasForeignVia(response: SipResponse, request: SipRequest): boolean {
  return response.headers.values('Via').length > request.headers.values('Via').length;
}
