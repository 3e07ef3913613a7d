/** A WebSocket server whose every frame and close a test writes itself, so that it can misbehave as no gateway should. For tests. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { eventually } from '@sidestream/peers';
import { type WebSocket, WebSocketServer } from 'ws';

export const tomorrow = new Date(Date.now() + 86_400_000).toISOString();

/** One connection of a client. */
export class ScriptedConnection {
  readonly frames: Record<string, unknown>[] = [];
  readonly path: string;
  closeCode: number | undefined;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, path: string) {
    this.#socket = socket;
    this.path = path;
    socket.on('message', (data) => this.frames.push(JSON.parse(String(data))));
    socket.on('close', (code) => {
      this.closeCode = code;
    });
  }

  send(frame: object | string): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Ends it as a network does, without a word. */
  reset(): void {
    this.#socket.terminate();
  }

  close(code: number, reason = ''): void {
    this.#socket.close(code, reason);
  }

  /** The `count`th frame from the client. */
  async frame(count = 1): Promise<Record<string, unknown>> {
    await eventually(() => this.frames.length >= count, `${count} frames from the client`);
    return this.frames[count - 1] ?? {};
  }

  authenticated({ seller = 'ada', place }: { seller?: string; place?: string } = {}): void {
    this.send({ type: 'authenticated', seller, expiresAt: tomorrow, place });
  }

  /** Takes the client's token, whatever it is. */
  async accept(as?: { seller?: string; place?: string }): Promise<Record<string, unknown>> {
    const frame = await this.frame();
    this.authenticated(as);
    return frame;
  }
}

export class ScriptedGateway {
  readonly url: string;
  readonly connections: ScriptedConnection[] = [];
  /** What is to happen by itself at a connection's first frame. */
  onGreeting: (connection: ScriptedConnection, frame: Record<string, unknown>) => void = () => undefined;

  private constructor(server: WebSocketServer) {
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/dialer/v1/events`;
    server.on('connection', (socket, { url = '' }) => {
      const connection = new ScriptedConnection(socket, url);
      this.connections.push(connection);
      socket.once('message', () => this.onGreeting(connection, connection.frames[0] ?? {}));
    });
  }

  static async start(t: TestContext): Promise<ScriptedGateway> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    t.after(async () => {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    });
    return new ScriptedGateway(server);
  }

  /** The `count`th connection since the start. */
  async connection(count = 1): Promise<ScriptedConnection> {
    await eventually(() => this.connections.length >= count, `${count} connections`);
    const connection = this.connections[count - 1];
    if (!connection) throw new Error('no connection');
    return connection;
  }
}

export function started(id: string, callId = `call-${id}`): object {
  const payload = { callId, isIncomingCall: true, contactNumber: '+4915112345678', contactName: 'Carla' };
  return {
    type: 'event',
    id,
    event: 'WIDGET_CALL_STARTED',
    payload: { ...payload, startTime: '2026-01-02T03:04:05.678Z' },
  };
}

export function ended(id: string, callId = `call-${id}`): object {
  const payload = { callId, callDurationInSeconds: 7, callTerminationReason: 'success', isCallStarted: true };
  return {
    type: 'event',
    id,
    event: 'WIDGET_CALL_ENDED',
    payload: { ...payload, callEndTime: '2026-01-02T03:04:12.678Z' },
  };
}
