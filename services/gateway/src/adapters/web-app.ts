// HTTP: the API, the streams, the console's files. Routes and answers; what they mean is elsewhere.
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { GatewaySection, Logger } from '@sidestream/service';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { DialerLog } from '../domain/dialer-log.js';
import { type ApiRoute, parameterOf } from './api-routes.js';
import type { Connections } from './connections.js';
import { dialerPath } from './dialer-endpoint.js';
import { streamDialerEvents } from './dialer-stream.js';
import type { EventStream } from './event-stream.js';
import type { Gate } from './gate.js';
import type { LiveEvents } from './live-events.js';
import { apiBase, openApiDocument } from './openapi.js';
import { streamPageEvents } from './page-stream.js';
import { answerProblem, HttpProblem, problemOf } from './problem.js';

const maxBodyBytes = 4_096;

export interface WebAppOptions {
  readonly gate: Gate;
  readonly routes: readonly ApiRoute[];
  readonly dialerLog: DialerLog;
  readonly connections: Connections;
  readonly live: LiveEvents;
  readonly dialerStreams: Set<EventStream>;
  readonly behindBytes: number;
  readonly isReady: () => boolean;
  readonly isCurrent: () => boolean;
  readonly console: GatewaySection['console'];
  /** Of the console's built files, which are served where a console is configured. */
  readonly consoleFolder: string;
  readonly log: Logger;
}

export function webApp(options: WebAppOptions): Hono<{ Bindings: HttpBindings }> {
  const { gate, routes, log } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();
  const authority = options.console === undefined ? '' : ` ${new URL(options.console.authority).origin}`;
  const policy = `default-src 'self'; connect-src 'self'${authority}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'`;
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(corsHeaders(c.env.incoming, gate))) c.header(name, value);
    c.header('Content-Security-Policy', policy);
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    if (c.req.path.startsWith('/api/') || c.req.path.startsWith('/dialer/')) c.header('Cache-Control', 'no-store');
    if (c.req.method === 'OPTIONS') return c.body(null, 204);
    return next();
  });
  app.onError((error, c) => {
    const { status, code } = problemOf(error, c.req.raw.signal);
    if (status >= 500) log.error({ err: error, path: c.req.path }, 'a request failed');
    else log.info({ status, code, path: c.req.path }, 'a request is refused');
    return answerProblem(c, error);
  });
  app.notFound((c) => answerProblem(c, new HttpProblem(404, 'not-found', 'there is no such page')));
  const document = openApiDocument(routes);
  app.get(`${apiBase}/openapi.json`, (c) => c.json(document));
  for (const route of routes) {
    app.on(
      route.method.toUpperCase(),
      `${apiBase}${route.path.replace(/\{(\w+)\}/g, ':$1')}`,
      bodyLimit({
        maxSize: maxBodyBytes,
        onError: () => Promise.reject(new HttpProblem(413, 'too-large', 'the body is too large')),
      }),
      async (c) => {
        const user = await gate.operator(c.env.incoming);
        // What is done to calls, and whose numbers are looked at, can be asked for later.
        if (route.method === 'post' || route.reveals || c.req.query('reveal') === 'true')
          log.info({ tenant: user.tenant, user: user.seller, path: c.req.path }, 'an operator acts');
        const body = route.body === undefined ? undefined : readBody(await c.req.text(), route);
        return c.json(await route.work({ user, value: parameterOf(c), body, signal: c.req.raw.signal }));
      },
    );
  }
  app.get(`${apiBase}/events`, async (c) => {
    const { incoming, outgoing } = c.env;
    await streamPageEvents(incoming, outgoing as never, options, corsHeaders(incoming, gate));
    return RESPONSE_ALREADY_SENT;
  });
  app.get(dialerPath, async (c) => {
    const { incoming, outgoing } = c.env;
    await streamDialerEvents(incoming, outgoing as never, options, corsHeaders(incoming, gate));
    return RESPONSE_ALREADY_SENT;
  });
  app.get('/console.json', (c) => {
    if (options.console === undefined) throw new HttpProblem(404, 'no-console', 'no console is configured');
    return c.json(options.console);
  });
  if (options.console !== undefined) app.get('/*', serveStatic({ root: options.consoleFolder }));
  return app;
}

/** Pages of allowed origins may ask with a token, which they send themselves: no cookie is ever looked at. */
function corsHeaders(request: IncomingMessage | HttpBindings['incoming'], gate: Gate): Record<string, string> {
  const { origin } = request.headers;
  if (origin === undefined || !gate.isAllowed(request as IncomingMessage)) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, Last-Event-ID',
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Expose-Headers': 'Retry-After',
    'Access-Control-Max-Age': '600',
  };
}

function readBody(text: string, { body }: ApiRoute): unknown {
  let document: unknown;
  try {
    document = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new HttpProblem(400, 'malformed', 'the body is not JSON');
  }
  return body?.parse(document);
}
