// The edge's numbers (prom-client). Methods from the network become labels only if RFCs know them: a label is memory.
import type { RefusedBecause, TransportProtocol } from '@sidestream/sip';
import { Counter, Gauge, type Registry } from 'prom-client';

const knownMethods = new Set(
  'ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER SUBSCRIBE UPDATE'.split(' '),
);

/** What the gauges show, read when somebody looks. */
export interface EdgeNumbers {
  dialogs(): number;
  transactions(): number;
  clients(): number;
}

export class EdgeMetrics {
  readonly #messages: Counter<'method' | 'kind' | 'direction'>;
  readonly #refused: Counter<'protocol' | 'reason'>;
  readonly #malformed: Counter;

  constructor(registry: Registry, numbers: EdgeNumbers) {
    const registers = [registry];
    this.#messages = new Counter({
      name: 'sidestream_edge_messages_total',
      help: 'SIP messages passed between the network and applications.',
      labelNames: ['method', 'kind', 'direction'],
      registers,
    });
    this.#refused = new Counter({
      name: 'sidestream_edge_refused_total',
      help: 'Datagrams and connections dropped without an answer: of no peer, too often, too many, or a handshake that failed.',
      labelNames: ['protocol', 'reason'],
      registers,
    });
    this.#malformed = new Counter({
      name: 'sidestream_edge_malformed_total',
      help: 'Messages from peers that were no SIP: answered 400 or dropped.',
      registers,
    });
    gauge(registry, 'sidestream_edge_dialogs', 'Dialogs kept for applications.', numbers.dialogs);
    gauge(registry, 'sidestream_edge_transactions', 'SIP transactions that have not ended.', numbers.transactions);
    gauge(registry, 'sidestream_edge_admin_clients', 'Applications connected to the admin port.', numbers.clients);
  }

  /** Counts one message; responses count under the method of their CSeq. */
  message(direction: 'in' | 'out', kind: 'request' | 'response', method: string): void {
    this.#messages.inc({ method: knownMethods.has(method) ? method : 'other', kind, direction });
  }

  refused(protocol: TransportProtocol, reason: RefusedBecause): void {
    this.#refused.inc({ protocol, reason });
  }

  malformed(): void {
    this.#malformed.inc();
  }
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
