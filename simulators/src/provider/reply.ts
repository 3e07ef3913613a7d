/** An HTTP answer as the simulator makes it, and the ways in which it reaches the client, or not quite. */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object goes out as JSON, a string as it is. */
  readonly body?: object | string;
  /** How long to wait before answering. */
  readonly delayMs?: number;
  /** Break the connection: before the first byte, or in the middle of the body. */
  readonly cut?: 'before' | 'within';
}

/** RFC 7807. */
export function problem(status: number, detail: string, more: object = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, ...more },
  };
}

/** Sends it; resolves also when the client or the simulator goes away meanwhile. `now` is what the Date header shows. */
export async function send(response: ServerResponse, reply: Reply, now: Date): Promise<void> {
  // A client that has gone before the wait begins tells so no more.
  if (reply.delayMs !== undefined && !response.destroyed) {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    await delay(reply.delayMs, undefined, { signal: gone.signal }).catch(() => undefined);
  }
  if (reply.cut === 'before' || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, body, headers = {} } = reply;
  const isJson = typeof body === 'object';
  const bytes = Buffer.from(isJson ? JSON.stringify(body) : (body ?? ''));
  response.writeHead(status, {
    date: now.toUTCString(),
    ...(body !== undefined && { 'content-type': isJson ? 'application/json; charset=utf-8' : 'text/plain' }),
    ...(status !== 304 && { 'content-length': String(bytes.length) }),
    ...headers,
  });
  if (reply.cut === 'within') response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  else response.end(bytes);
}
