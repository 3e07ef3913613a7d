// The SIP listeners: which there are, how each names itself to the far side, which one a request leaves by.
import { isIPv6 } from 'node:net';
import type { Flow, HostPort, TransportProtocol } from '@sidestream/sip';
import { hostPort, type LocalAddress } from '../domain/local-address.js';

export interface Listener {
  readonly protocol: TransportProtocol;
  /** Where the socket is bound; never a wildcard without an advertised host. */
  readonly bound: HostPort;
  /** What goes into Via, Contact and From. */
  readonly advertised: LocalAddress;
}

/** True for the addresses that mean every interface. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

export class Listeners {
  readonly #all: Listener[] = [];

  /** @param advertise host that the far side shall use instead of the bound one. */
  add(protocol: TransportProtocol, bound: HostPort, advertise: string | undefined): Listener {
    const listener = { protocol, bound, advertised: { protocol, host: advertise ?? bound.host, port: bound.port } };
    this.#all.push(listener);
    return listener;
  }

  get all(): readonly Listener[] {
    return this.#all;
  }

  /** The first listener of a protocol that can reach an address of this family. */
  pick(protocol: TransportProtocol, address: string): Listener | undefined {
    return this.#all.find((one) => one.protocol === protocol && isIPv6(one.bound.host) === isIPv6(address));
  }

  /** The listener that a flow belongs to: the one that accepted it, else the one that answers for its protocol. */
  of(flow: Flow): Listener | undefined {
    const accepted = this.#all.find(
      (one) => one.protocol === flow.protocol && one.bound.port === flow.local.port && covers(one.bound, flow.local),
    );
    return accepted ?? this.pick(flow.protocol, flow.remote.host);
  }

  /** True where a request would come back to the edge itself. */
  isSelf(protocol: TransportProtocol, host: string, port: number): boolean {
    return this.#all.some(
      (one) =>
        one.protocol === protocol &&
        one.bound.port === port &&
        (one.bound.host === host || one.advertised.host === host),
    );
  }

  /** `tls/127.0.0.1:5061,udp/127.0.0.1:5060`, as the OK of authenticate has it. */
  describe(side: 'advertised' | 'bound'): string {
    return this.#all.map((one) => `${one.protocol}/${hostPort(one[side])}`).join(',');
  }
}

function covers(bound: HostPort, local: HostPort): boolean {
  return bound.host === local.host || isWildcard(bound.host);
}
