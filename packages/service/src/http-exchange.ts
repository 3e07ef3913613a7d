// One exchange over HTTP or HTTPS: no redirects, a bound on what comes, and the time that the other side says it is.
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

/** What is sent, and whom to trust. */
export interface HttpQuestion {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM of the authorities that are trusted; absent: those of Node. */
  readonly authorities?: readonly string[];
}

/** Gets a URL; see httpExchange. @param trust authorities to trust besides the well-known ones, PEM */
export function httpGet(url: string, signal: AbortSignal, trust?: string): Promise<HttpReply> {
  const question = {
    method: 'GET',
    ...(trust !== undefined && { authorities: [...rootCertificates, trust] }),
  } as const;
  return httpExchange(url, signal, question);
}

/** Asks once; rejects with what the network said, for more than a megabyte, and with the signal's reason. */
export function httpExchange(url: string, signal: AbortSignal, question: HttpQuestion): Promise<HttpReply> {
  const { method, body, authorities } = question;
  const headers = { accept: 'application/json', 'user-agent': 'sidestream/0.1.0', ...question.headers };
  const begunMs = Date.now();
  return new Promise((resolve, reject) => {
    const options = { method, agent: false, headers, signal };
    // Node gives an AbortError that says nothing.
    const failed = (error: Error) => reject(signal.aborted ? signal.reason : error);
    const heard = (answer: IncomingMessage) => {
      const headMs = Date.now();
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('error', failed);
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
      ? requestHttps(url, { ...options, ...(authorities && { ca: [...authorities] }) }, heard)
      : requestHttp(url, options, heard);
    asking.once('error', failed).end(body);
  });
}
