// The edge's numbers (prom-client). Methods from the network become labels only if RFCs know them: a label is memory.

import { type Span, TracedHistogram } from '@sidestream/service';
import type { ClientTransaction, RefusedBecause, TransportProtocol } from '@sidestream/sip';
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
  readonly #requests: TracedHistogram<'direction' | 'method' | 'status'>;

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
    this.#requests = new TracedHistogram({
      name: 'sidestream_edge_request_seconds',
      help: 'Time from a request to its final response, from and to the network, by class of the status (2xx to 6xx), or none.',
      labelNames: ['direction', 'method', 'status'],
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 180],
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

  /** Begins to measure a request; what it returns is called with the status of its first final response, or `none`. */
  request(direction: 'in' | 'out', name: string, span?: Span): (status: number | 'none') => void {
    const method = knownMethods.has(name) ? name : 'other';
    const started = performance.now();
    let open = true;
    return (status) => {
      if (!open) return;
      open = false;
      const labels = { direction, method, status: status === 'none' ? status : `${Math.trunc(status / 100)}xx` };
      this.#requests.record(labels, (performance.now() - started) / 1_000, span);
    };
  }

  /** A request that was sent: a message, measured until its final response. */
  sent(transaction: ClientTransaction): void {
    const { method } = transaction.request;
    this.message('out', 'request', method);
    const settle = this.request('out', method);
    transaction.once('final', ({ status }) => settle(status));
    transaction.once('terminated', () => settle('none'));
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
