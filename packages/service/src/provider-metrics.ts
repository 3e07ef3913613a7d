// What the provider and Entra are asked, as numbers; policy-sync and registration both ask.
import { Histogram, type Registry } from 'prom-client';

/** Makes the observer of a client: time of each exchange by operation (token, users, tenants) and status, or why there was none. */
export function providerMetrics(
  registry: Registry,
): (exchange: { readonly operation: string; readonly status: number | string; readonly seconds: number }) => void {
  const seconds = new Histogram({
    name: 'sidestream_provider_request_seconds',
    help: 'Time of an exchange with Entra (token) or the provider (users, tenants), by HTTP status or why there was none.',
    labelNames: ['operation', 'status'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  return ({ operation, status, seconds: took }) => seconds.observe({ operation, status: String(status) }, took);
}
