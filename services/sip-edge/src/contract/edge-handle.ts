// What the contract needs of an edge, be it sip-edge or a real drachtio-server.
import type { HostPort } from '@sidestream/sip';

export interface EdgeHandle {
  readonly admin: { readonly host: string; readonly port: number; readonly secret: string };
  readonly udp: HostPort;
  readonly tcp: HostPort;
  /** T1 of the edge's transactions, in ms. */
  readonly t1: number;
  stop(): Promise<void>;
}

/** How to get an edge that admits peers on 127.0.0.1 and nobody else. */
export interface EdgeUnderTest<E extends EdgeHandle = EdgeHandle> {
  readonly name: string;
  /** @param t1 wished for; an edge whose timers are fixed takes its own. */
  start(options?: { t1?: number }): Promise<E>;
  /** True for drachtio-server: tests of what sip-edge does better (docs/edges.md) are left out. */
  readonly referenceOnly: boolean;
}
