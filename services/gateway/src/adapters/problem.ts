// Errors over HTTP: problem details (RFC 9457), never more than the caller may know.
import { errorTable, SidestreamError } from '@sidestream/service';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { QueueDenied } from '../domain/fair-queue.js';
import { TokenRefused } from '../domain/user.js';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** Of what may go well soon, in seconds. */
const retryAfter: Readonly<Record<number, string>> = { 429: '1', 503: '2' };

/** An answer that is decided on already. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** @param signal of the request: aborted when whoever asked has gone */
export function problemOf(error: unknown, signal?: AbortSignal): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    return new HttpProblem(400, 'malformed', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  if (error instanceof TokenRefused) {
    const { reason } = error;
    const status = reason === 'issuer-unavailable' ? 503 : reason === 'no-seller' ? 403 : 401;
    return new HttpProblem(status, reason, `the token is refused: ${reason}`);
  }
  if (error instanceof QueueDenied)
    return error.reason === 'share'
      ? new HttpProblem(429, 'too-many-reads', 'you have more reads waiting than one user may have')
      : new HttpProblem(503, 'overloaded', 'too much is being read');
  const { code, message } = SidestreamError.from(error);
  switch (code) {
    case 'bad-request':
      return new HttpProblem(400, code, message);
    case 'forbidden':
      return new HttpProblem(403, code, message);
    case 'not-found':
      return new HttpProblem(404, code, message);
    case 'wrong-state':
      return new HttpProblem(409, code, message);
    case 'recorder-refused':
      return new HttpProblem(502, code, message);
    case 'deadline-exceeded':
      return new HttpProblem(504, code, message);
    case 'cancelled':
      // A service behind that stops, or a way to it that ends, cancels as well.
      return signal?.aborted
        ? new HttpProblem(400, code, 'whoever asked has gone')
        : new HttpProblem(503, code, 'a service behind the gateway has not answered to the end');
    default:
      return errorTable[code].sip === 503
        ? new HttpProblem(503, code, 'a service behind the gateway does not answer')
        : new HttpProblem(500, 'internal', 'something went wrong here');
  }
}

export function answerProblem(c: Context, error: unknown): Response {
  const { status, code, message } = problemOf(error, c.req.raw.signal);
  const after = retryAfter[status];
  if (after !== undefined) c.header('Retry-After', after);
  if (status === 401) c.header('WWW-Authenticate', `Bearer error="invalid_token", error_description="${code}"`);
  const body = { type: 'about:blank', title: titles[status] ?? 'Error', status, code, detail: message };
  return c.body(JSON.stringify(body), status as ContentfulStatusCode, { 'Content-Type': 'application/problem+json' });
}
