// Over which connection a dialog's requests go. On a stream that is the connection the dialog lives on: behind NAT and load
// balancers the address in a Contact often cannot be dialled. When it is gone, the target is dialled again: a lost connection
// is no lost dialog. On UDP the next hop of the dialog decides (RFC 3261 §12.2.1.1).
import { isIP } from 'node:net';
import { type DialogState, nextHopUri } from '../dialog/dialog-state.js';
import { parseUri, type SipUri } from '../message/uri.js';
import { SipError } from '../sip-error.js';
import type { FlowSource } from '../transaction/transaction-layer.js';
import type { Flow, HostPort, Target, TransportProtocol } from '../transport/flow.js';

export class DialogPath {
  readonly #transports: FlowSource;
  readonly #target: Target | undefined;
  readonly #local: HostPort | undefined;
  readonly #protocol: TransportProtocol;
  #flow: Flow | undefined;

  /** At least one of the two has to be given: `flow` where the dialog lives, `target` where to dial when that is gone. */
  constructor(transports: FlowSource, flow: Flow | undefined, target: Target | undefined) {
    this.#transports = transports;
    this.#flow = flow;
    this.#target = target;
    this.#protocol = target?.protocol ?? flow?.protocol ?? 'udp';
    this.#local = target?.local ?? (flow?.protocol === 'udp' ? flow.local : undefined);
  }

  get flow(): Flow | undefined {
    return this.#flow;
  }

  /** The flow for the next request. @throws SipError `transport-failed`, `tls-refused`, `cancelled`, `not-possible` */
  async outbound(dialog: DialogState, signal?: AbortSignal): Promise<Flow> {
    if (this.#flow?.reliable && !this.#flow.closed) return this.#flow;
    const target = this.#protocol === 'udp' ? this.#nextHop(dialog) : (this.#target ?? this.#nextHop(dialog));
    this.#flow = await this.#transports.flow(target, signal);
    return this.#flow;
  }

  #nextHop(dialog: DialogState): Target {
    const uri = parseUri(nextHopUri(dialog));
    // RFC 3261 §19.1.1: maddr overrides the host.
    const host = (uri.parameters.get('maddr') ?? uri.host).replace(/^\[|\]$/g, '');
    // A name in a Contact says less than the address that the owner chose.
    if (isIP(host) === 0 && this.#target !== undefined) return this.#target;
    if (host === '') throw new SipError('not-possible', `cannot send to a ${uri.scheme} URI`);
    const protocol = protocolOf(uri) ?? this.#protocol;
    const port = uri.port ?? (protocol === 'tls' ? 5061 : 5060);
    const local = protocol === 'udp' ? this.#local : undefined;
    return { protocol, host, port, ...(local === undefined ? {} : { local }) };
  }
}

function protocolOf(uri: SipUri): TransportProtocol | undefined {
  const transport = uri.parameters.get('transport')?.toLowerCase();
  if (uri.scheme === 'sips' || transport === 'tls') return 'tls';
  return transport === 'udp' || transport === 'tcp' ? transport : undefined;
}
