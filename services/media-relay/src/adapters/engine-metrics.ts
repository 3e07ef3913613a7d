// rtpengine's own numbers, passed on as they are. Its HTTP port has no authentication and takes commands, hence it is on
// loopback, and nothing but GET /metrics is ever asked there.
import { formatHostPort, type HostPort, type ManagementPage } from '@sidestream/service';

const deadlineMs = 3_000;
const maxBytes = 1024 * 1024;

/** The page of `/metrics/rtpengine`: Prometheus' text format. */
export function engineMetricsPage(http: HostPort): ManagementPage {
  const url = `http://${formatHostPort(http)}/metrics`;
  return { type: 'text/plain; version=0.0.4; charset=utf-8', read: () => readText(url) };
}

/** @throws Error that names the address: no answer in time, another status than 200, or too much of it */
async function readText(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(deadlineMs), redirect: 'error' });
    if (answer.status !== 200 || answer.body === null) throw new Error(`status ${answer.status}`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    const reason =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : error;
    throw new Error(`mediaRelay.rtpengine.http: ${url}: ${String(reason)}`);
  }
}
