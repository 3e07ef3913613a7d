// sip-edge in the test's own process, as an EdgeHandle.
import { createLogger, Secret } from '@sidestream/service';
import type { HostPort } from '@sidestream/sip';
import { Registry } from 'prom-client';
import { Edge, type EdgeOptions } from '../adapters/edge.js';
import type { EdgeHandle, EdgeUnderTest } from './edge-handle.js';

export interface EmbeddedEdge extends EdgeHandle {
  readonly edge: Edge;
  /** Value of a metric, all label sets added up. */
  metric(name: string): Promise<number>;
  /** How often each label set of a histogram was observed. */
  observed(name: string): Promise<{ count: number; labels: object }[]>;
}

/** Starts an edge that admits 127.0.0.1 and nobody else. */
export async function startEmbeddedEdge(options: Partial<EdgeOptions> & { t1?: number } = {}): Promise<EmbeddedEdge> {
  const { t1 = 500, ...rest } = options;
  const metrics = new Registry();
  const edge = await Edge.start({
    listen: [
      { protocol: 'udp', host: '127.0.0.1', port: 0 },
      { protocol: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    peers: ['127.0.0.1'],
    secret: new Secret('contract'),
    adminPort: 0,
    maxDialogs: 1_000,
    maxTransactions: 10_000,
    adminLimits: { authenticationDeadlineMs: 300 },
    timers: { t1, t2: 8 * t1, t4: 10 * t1 },
    log: createLogger({ name: 'sip-edge', instance: 'test', level: 'silent' }),
    metrics,
    ...rest,
  });
  const { admin = '', 'sip.udp': udp = '', 'sip.tcp': tcp = '' } = edge.addresses;
  return {
    edge,
    admin: { ...address(admin.replace('tcp://', '')), secret: 'contract' },
    udp: address(udp),
    tcp: address(tcp),
    t1,
    stop: () => edge.close(),
    async observed(name) {
      const values = (await metrics.getMetricsAsJSON()).find((one) => one.name === name)?.values ?? [];
      return values
        .filter((one) => 'metricName' in one && one.metricName === `${name}_count`)
        .map(({ value, labels }) => ({ count: value, labels }));
    },
    async metric(name) {
      const found = await metrics.getSingleMetric(name)?.get();
      return (found?.values ?? []).reduce((sum, { value }) => sum + value, 0);
    },
  };
}

/** sip-edge with these options, for a ContractBench. */
export function sipEdge(options: Partial<EdgeOptions> = {}): EdgeUnderTest<EmbeddedEdge> {
  return { name: 'sip-edge', referenceOnly: false, start: (wish) => startEmbeddedEdge({ ...options, ...wish }) };
}

export function address(text: string): HostPort {
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
}
