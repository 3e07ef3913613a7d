// One GET over HTTP or HTTPS: no redirects, a bound on what comes, and the time that the other side says it is.
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { rootCertificates } from 'node:tls';

export interface HttpReply {
  readonly status: number;
  readonly body: string;
  readonly ms: number;
  /** How far our clock is ahead of theirs, in ms; Date has whole seconds. Undefined: there was no Date. */
  readonly aheadMs: number | undefined;
}

const maxBytes = 1024 * 1024;

/**
 * Gets a URL; rejects with what the network said, for more than a megabyte, and with the signal's reason.
 *
 * @param trust authorities to trust besides the well-known ones, PEM
 */
export function httpGet(url: string, signal: AbortSignal, trust?: string): Promise<HttpReply> {
  const begunMs = Date.now();
  const ca = trust === undefined ? {} : { ca: [...rootCertificates, trust] };
  return new Promise((resolve, reject) => {
    const options = { agent: false, headers: { accept: 'application/json', 'user-agent': 'sidestream/0.1.0' }, signal };
    const heard = (answer: IncomingMessage) => {
      const headMs = Date.now();
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBytes) answer.destroy(new Error(`${url} answers with more than ${maxBytes} bytes`));
        else chunks.push(chunk);
      });
      answer.on('end', () => {
        const theirs = Date.parse(answer.headers.date ?? '');
        // In the middle of the exchange, and of the second that Date names.
        const aheadMs = (begunMs + headMs) / 2 - (theirs + 500);
        resolve({
          status: answer.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          ms: Date.now() - begunMs,
          aheadMs: Number.isNaN(aheadMs) ? undefined : aheadMs,
        });
      });
    };
    const asking = url.startsWith('https:')
      ? requestHttps(url, { ...options, ...ca }, heard)
      : requestHttp(url, options, heard);
    asking.once('error', reject).end();
  });
}
