// The own numbers of what stands beside a service, passed on as they are. Such a port has no authentication, and rtpengine's takes
// commands, hence it is on loopback, and nothing but GET /metrics is ever asked there.
import { formatHostPort, parseHostPort } from './address.js';
import { httpGet } from './http-exchange.js';
import type { ManagementPage } from './management-server.js';

const deadlineMs = 3_000;

/**
 * A page in Prometheus' text format.
 *
 * @param address host:port, of which /metrics is asked
 * @param key of the configuration that says so, for errors: no answer in time, another status than 200, or more than a megabyte
 */
export function neighbourMetrics(address: string, key: string): ManagementPage {
  const url = `http://${formatHostPort(parseHostPort(address))}/metrics`;
  const read = async () => {
    try {
      const { status, body } = await httpGet(url, AbortSignal.timeout(deadlineMs));
      if (status === 200) return body;
      throw new Error(`status ${status}`);
    } catch (error) {
      throw new Error(`${key}: ${url}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return { type: 'text/plain; version=0.0.4; charset=utf-8', read };
}
