// The gateway's numbers.
import { Gauge, type Registry } from 'prom-client';
import type { DialerFold } from '../domain/dialer-fold.js';
import type { DialerLog } from '../domain/dialer-log.js';
import type { Connections } from './connections.js';

export interface Measured {
  readonly connections: Connections;
  readonly fold: DialerFold;
  readonly dialerLog: DialerLog;
}

export function measureGateway(metrics: Registry, { connections, fold, dialerLog }: Measured): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [metrics],
      collect() {
        this.set(value());
      },
    });
  gauge('sidestream_gateway_connections', 'Open connections of dialers and live pages.', () => connections.open);
  gauge('sidestream_gateway_calls', 'Calls whose sellers may have to be told something.', () => fold.calls);
  gauge('sidestream_gateway_sellers', 'Sellers who listen, or for whom events are kept.', () => dialerLog.sellers);
}
