// A gateway whose words a test says itself, for what the real one does only rarely.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

const payloads = {
  WIDGET_CALL_STARTED: { isIncomingCall: true, contactNumber: '+4915112345678', contactName: 'Carla Müller' },
  WIDGET_CALL_ENDED: { callDurationInSeconds: 7, callTerminationReason: 'success', isCallStarted: true },
  CALL_NOT_RECORDED: { reason: 'recorder-unreachable' },
} as const;

/** Takes every token; sends each event to whoever is connected, and to who resumes what came later. */
export class PlayedGateway {
  readonly url: string;
  /** First frames, in order. */
  readonly greetings: { token: string; lastEventId?: string }[] = [];
  readonly #server: WebSocketServer;
  readonly #events: object[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/dialer/v1/events`;
    server.on('connection', (socket) =>
      socket.once('message', (data) => this.#greet(socket, JSON.parse(String(data)))),
    );
  }

  static async start(): Promise<PlayedGateway> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    return new PlayedGateway(server);
  }

  send(event: keyof typeof payloads, callId: string): void {
    const time = new Date().toISOString();
    const payload = { callId, startTime: time, callEndTime: time, ...payloads[event] };
    const frame = { type: 'event', id: String(this.#events.length + 1), event, payload };
    this.#events.push(frame);
    for (const client of this.#server.clients) client.send(JSON.stringify(frame));
  }

  /** Ends every connection with a close code. */
  dismiss(code: number, reason: string): void {
    for (const client of this.#server.clients) client.close(code, reason);
  }

  async close(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #greet(socket: WebSocket, greeting: { token: string; lastEventId?: string }): void {
    this.greetings.push(greeting);
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const [seller, place] = [greeting.token.replace('token of ', ''), String(this.#events.length)];
    socket.send(JSON.stringify({ type: 'authenticated', seller, expiresAt, place }));
    for (const event of this.#events.slice(Number(greeting.lastEventId ?? place))) socket.send(JSON.stringify(event));
  }
}
