// drachtio-srf as the contract's tests use it: the library is unmodified, only its types are our own, as the package's
// describe a part of it.
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { EdgeHandle } from './edge-handle.js';

export interface AppMessage extends EventEmitter {
  readonly method: string;
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  readonly uri: string;
  readonly source: string;
  readonly protocol: string;
  readonly receivedOn: string;
  readonly stackTxnId: string;
  readonly stackDialogId: string;
  readonly source_address: string;
  readonly source_port: string | number;
  get(name: string): string;
  has(name: string): boolean;
}

export interface AppRequest extends AppMessage {
  cancel(callback: (error?: Error) => void): void;
}

export interface AppReply extends AppMessage {
  send(status: number, options?: object, callback?: (error: unknown, sent?: AppMessage) => void): void;
}

/** A provisional response to an INVITE, from which a request can be sent in the early dialog. */
export interface AppProvisional extends AppMessage {
  readonly agent: {
    request(options: object, callback: (error: unknown, request: AppRequest) => void): void;
  };
  readonly socket: unknown;
}

export interface AppDialog extends EventEmitter {
  readonly id: string;
  readonly sip: { callId: string; localTag: string; remoteTag: string };
  readonly remote: { sdp: string };
  readonly connected: boolean;
  destroy(options?: object): Promise<AppMessage>;
  modify(sdp: string): Promise<string>;
  request(options: { method: string; headers?: Record<string, string>; body?: string }): Promise<AppMessage>;
}

type Handler = (request: AppRequest, reply: AppReply) => void;

export interface DrachtioApp extends EventEmitter {
  connect(options: { host: string; port: number; secret: string }): void;
  disconnect(): void;
  invite(handler: Handler): void;
  options(handler: Handler): void;
  message(handler: Handler): void;
  register(handler: Handler): void;
  createUAS(request: AppRequest, reply: AppReply, options: object): Promise<AppDialog>;
  createUAC(
    uri: string,
    options: object,
    progress?: {
      cbRequest?: (error: unknown, request: AppRequest) => void;
      cbProvisional?: (response: AppProvisional) => void;
    },
  ): Promise<AppDialog>;
  createB2BUA(
    request: AppRequest,
    reply: AppReply,
    uri: string,
    options: object,
  ): Promise<{ uas: AppDialog; uac: AppDialog }>;
  request(uri: string, options: object): Promise<AppRequest>;
  /** A response may come in the turn in which the request is echoed: only a callback is in time for it. */
  request(uri: string, options: object, callback: (error: unknown, request: AppRequest) => void): void;
}

const Srf: new () => DrachtioApp = createRequire(import.meta.url)('drachtio-srf');

/** Connects an application and waits until its routes are in place. @param route registers the handlers. */
export async function connectApp(edge: EdgeHandle, route: (app: DrachtioApp) => void): Promise<DrachtioApp> {
  const app = new Srf();
  // Losing the edge at the end of a test is no event for the test.
  app.on('error', () => undefined);
  route(app);
  const connected = new Promise<void>((resolve, reject) => {
    app.on('connect', (error?: Error) => (error ? reject(error) : resolve()));
  });
  app.connect(edge.admin);
  await connected;
  // Frames are handled in order: when the edge has refused this request to itself, the routes are in place.
  await app.request(`sip:self@${edge.udp.host}:${edge.udp.port}`, { method: 'OPTIONS' }).catch(() => undefined);
  return app;
}

/** Resolves with the arguments of the next event. */
export function next(emitter: EventEmitter, event: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no '${event}' event`)), 5_000);
    emitter.once(event, (...values: unknown[]) => {
      clearTimeout(timer);
      resolve(values);
    });
  });
}
