// A gateway for the console that says what a test has it say, for what the real one does only rarely; its users sign in at a simulated issuer.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { consoleFolder } from '@sidestream/console';
import { IssuerSimulator } from '@sidestream/simulators';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();

const recorder = 'sip:SRS@recorder.eastus.example;transport=tls';
export const recording = (more: object = {}) => ({
  recordingId: 'r1',
  recorderCallId: '5b6f0c3a9d1e4f7788990a1b2c3d4e5f',
  phase: 'active',
  recorder,
  pausedBy: [],
  voices: voices(50, 48),
  ...more,
});

export function voices(customer: number, seller: number): object[] {
  return [
    { party: 'customer', packetsPerSecond: customer },
    { party: 'seller', packetsPerSecond: seller },
  ];
}

/** A live call that is recorded, unless told. */
export const liveCall = (callId: string, more: object = {}) => ({
  callId,
  instance: 's1',
  tenant: 'contoso',
  trunk: 'carrier',
  direction: 'inbound',
  phase: 'talking',
  startedAt: ago(75),
  answeredAt: ago(71),
  calling: { uri: 'sip:************78@carrier.example', name: '' },
  called: { uri: 'sip:***@pbx.example', name: 'A***' },
  seller: 'ada',
  decision: { record: true, reason: 'listed', policyRevision: 'b4c1f0de', recorders: [recorder] },
  recordings: [recording()],
  voices: voices(50, 48),
  ...more,
});

/** The record of a call that ended so many seconds ago. */
export const endedCall = (callId: string, seconds: number, more: object = {}) => ({
  callId,
  tenant: 'contoso',
  direction: 'outbound',
  endedAt: ago(seconds),
  durationMs: 93_000,
  calling: { uri: 'sip:***@pbx.example', name: 'A***' },
  called: { uri: 'sip:************21@carrier.example', name: '' },
  decision: { record: true, reason: 'listed', policyRevision: 'b4c1f0de', recorders: [recorder] },
  verdict: 'complete',
  termination: { result: 'success', reason: 'hangup', detail: '' },
  recordings: [
    {
      recordingId: `r-${callId}`,
      recorder,
      durationMs: 91_500,
      gapMs: 0,
      termination: { result: 'success', reason: 'call-ended', detail: '' },
    },
  ],
  ...more,
});

export class PlayedConsole {
  readonly issuer: IssuerSimulator;
  /** What is answered to `GET /api/v1/…`, by path without query. */
  readonly answers: Record<string, (url: URL) => object> = {
    calls: () => ({
      calls: [liveCall('call-1')],
      instances: [{ instance: 's1', state: 'live', calls: 1 }],
      lost: [],
    }),
    recorders: () => ({
      recorders: [
        { instance: 's1', region: 'eastus', recorder, tenant: 'contoso', state: 'healthy', recordings: 1 },
        {
          ...{ instance: 's1', region: 'westus', recorder: 'sip:SRS@recorder.westus.example;transport=tls' },
          ...{ tenant: 'contoso', state: 'avoided', reason: 'OPTIONS: 503 Service Unavailable', recordings: 0 },
        },
      ],
    }),
    relays: () => ({
      relays: [
        { relay: 'm1', region: 'eastus', address: '10.0.3.7:7001', sessions: 12, capacity: 400, draining: false },
      ],
    }),
    policies: () => ({
      policies: [
        {
          ...{ tenant: 'contoso', revision: 'b4c1f0de', users: 412, checkedAt: ago(40), stale: false },
          staleRule: 'record-none',
        },
      ],
    }),
    registrations: () => ({
      registrations: [
        {
          ...{ tenant: 'contoso', state: 'applied', appliedAt: ago(86_400 * 3) },
          ...{ certificateSubject: 'CN=sbc.contoso.example', certificateExpiresAt: ago(-86_400 * 60) },
        },
      ],
    }),
    records: () => ({ records: [endedCall('call-0', 300)] }),
  };
  /** Authorizations that were asked with, in order. */
  readonly tokens: string[] = [];
  /** Whom it lets in; 401 to everybody else. */
  isGood: (token: string) => boolean = () => true;
  /** Whether it answers; false: connections are cut. */
  isThere = true;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();

  private constructor(server: Server, issuer: IssuerSimulator) {
    this.#server = server;
    this.issuer = issuer;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  static async start(t: TestContext): Promise<PlayedConsole> {
    const roles = ['Sidestream.Operator'];
    const users = [
      { oid: 'olga', name: 'Olga', roles },
      { oid: 'otto', name: 'Otto', roles },
    ];
    const issuer = await IssuerSimulator.start({ audience: 'sidestream', users });
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(async () => {
      server.close();
      server.closeAllConnections();
      await issuer.close();
    });
    return new PlayedConsole(server, issuer);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Something of this kind has happened: every page asks again. */
  tell(event: string): void {
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: {}\n\n`);
  }

  /** The streams of events end. */
  endStreams(): void {
    for (const stream of this.#streams) stream.end();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.isThere) {
      response.destroy();
      return;
    }
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname.startsWith('/api/v1/')) this.#api(url, request, response);
    else if (url.pathname === '/console.json')
      json(response, { authority: this.issuer.issuer, clientId: 'console', scope: 'openid offline_access' });
    else {
      const name = url.pathname === '/' ? 'index.html' : url.pathname.slice(1);
      const body = await readFile(join(consoleFolder, name)).catch(() => undefined);
      response.writeHead(body ? 200 : 404, { 'content-type': types[extname(name)] ?? 'text/plain' }).end(body);
    }
  }

  #api(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    this.tokens.push(token);
    const [name = '', id] = url.pathname.replace('/api/v1/', '').split('/');
    const body = this.answers[name]?.(url);
    const call = callsIn(body).find(({ callId }) => callId === id);
    if (!this.isGood(token)) json(response, { code: 'token', detail: 'The token is refused.' }, 401);
    else if (name === 'events') this.#stream(response);
    else if (body !== undefined && id === undefined) json(response, body);
    else if (call !== undefined) json(response, call);
    else json(response, { detail: 'There is nothing there.' }, 404);
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
    this.#streams.add(response);
    response.once('close', () => this.#streams.delete(response));
  }
}

function callsIn(body: object = {}): readonly { readonly callId: string }[] {
  return (body as { calls?: { callId: string }[] }).calls ?? [];
}

function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
