// A SIP peer made of a bare socket: it sends what the test says and keeps what comes, so that nothing is done behind the
// test's back.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';
import {
  type HostPort,
  parseMessage,
  type SipMessage,
  SipRequest,
  SipResponse,
  StreamFramer,
  serialiseMessage,
} from '@sidestream/sip';

const patienceMs = 5_000;

interface Waiter {
  readonly matches: (message: SipMessage) => boolean;
  readonly resolve: (message: SipMessage) => void;
}

export class RawPeer {
  readonly protocol: 'UDP' | 'TCP' | 'TLS';
  readonly #send: (bytes: Buffer, to: HostPort) => void;
  readonly #shut: () => Promise<void>;
  readonly #waiters: Waiter[] = [];
  readonly #inbox: SipMessage[] = [];
  /** Bytes received in all, SIP or not. */
  bytesReceived = 0;
  address: HostPort;
  /** Where messages go. */
  edge: HostPort;

  private constructor(
    protocol: 'UDP' | 'TCP' | 'TLS',
    address: HostPort,
    edge: HostPort,
    send: RawPeer['sendBytes'],
    shut: () => Promise<void>,
  ) {
    this.protocol = protocol;
    this.address = address;
    this.edge = edge;
    this.#send = send;
    this.#shut = shut;
  }

  static async udp(edge: HostPort, host = '127.0.0.1'): Promise<RawPeer> {
    const socket: UdpSocket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, host, resolve));
    const { address, port } = socket.address();
    const peer = new RawPeer(
      'UDP',
      { host: address, port },
      edge,
      (bytes, to) => socket.send(bytes, to.port, to.host),
      () => new Promise<void>((resolve) => socket.close(() => resolve())),
    );
    socket.on('message', (bytes) => {
      peer.bytesReceived += bytes.length;
      peer.receive(bytes, false);
    });
    return peer;
  }

  /** Opens a connection to the edge. */
  static async tcp(edge: HostPort, localAddress = '127.0.0.1'): Promise<RawPeer> {
    const socket = connect({ port: edge.port, host: edge.host, localAddress });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return RawPeer.over(socket, 'TCP', edge);
  }

  /** Speaks SIP over a connection that is open. */
  static over(socket: Socket, protocol: 'TCP' | 'TLS', edge: HostPort): RawPeer {
    const address = { host: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    const peer = new RawPeer(
      protocol,
      address,
      edge,
      (bytes) => socket.write(bytes),
      () => closeSocket(socket),
    );
    peer.#listenTo(socket);
    return peer;
  }

  /** Waits for the edge to connect. */
  static async tcpServer(edge: HostPort): Promise<RawPeer> {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      peer.#listenTo(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const peer = new RawPeer(
      'TCP',
      { host: '127.0.0.1', port },
      edge,
      (bytes) => {
        for (const socket of sockets) socket.write(bytes);
      },
      async () => {
        await Promise.all([...sockets].map(closeSocket));
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    );
    return peer;
  }

  send(message: SipMessage | string): void {
    this.sendBytes(typeof message === 'string' ? Buffer.from(message) : serialiseMessage(message), this.edge);
  }

  sendBytes(bytes: Buffer, to: HostPort): void {
    this.#send(bytes, to);
  }

  /** The next request of a method, taken out of what has come. */
  async request(method: string): Promise<SipRequest> {
    const found = await this.#next((message) => message instanceof SipRequest && message.method === method, method);
    if (found instanceof SipRequest) return found;
    throw new Error('unreachable');
  }

  /** The next response of a status (and method and Call-ID, where they matter), taken out of what has come. */
  async response(status: number, method?: string, callId?: string): Promise<SipResponse> {
    const found = await this.#next(
      (message) =>
        message instanceof SipResponse &&
        message.status === status &&
        (method === undefined || message.cseq.method === method) &&
        (callId === undefined || message.callId === callId),
      `${status} ${method ?? ''}`,
    );
    if (found instanceof SipResponse) return found;
    throw new Error('unreachable');
  }

  /** The next final response to a method, taken out of what has come. */
  async final(method: string): Promise<SipResponse> {
    const found = await this.#next(
      (message) => message instanceof SipResponse && message.status >= 200 && message.cseq.method === method,
      `final response to ${method}`,
    );
    if (found instanceof SipResponse) return found;
    throw new Error('unreachable');
  }

  /** What has come and was not asked for. */
  get unread(): readonly SipMessage[] {
    return this.#inbox;
  }

  async close(): Promise<void> {
    await this.#shut();
  }

  receive(bytes: Buffer, stream: boolean): void {
    const message = parseMessage(bytes, { stream });
    const waiter = this.#waiters.find(({ matches }) => matches(message));
    if (waiter === undefined) {
      this.#inbox.push(message);
      return;
    }
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    waiter.resolve(message);
  }

  #listenTo(socket: Socket): void {
    const framer = new StreamFramer();
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.bytesReceived += chunk.length;
      for (const frame of framer.push(chunk)) if (frame.kind === 'message') this.receive(frame.bytes, true);
    });
  }

  #next(matches: Waiter['matches'], what: string): Promise<SipMessage> {
    const at = this.#inbox.findIndex(matches);
    const [there] = at < 0 ? [] : this.#inbox.splice(at, 1);
    if (there !== undefined) return Promise.resolve(there);
    return new Promise((resolve, reject) => {
      const got = this.#inbox.map((message) => startLine(message)).join(' | ');
      const timer = setTimeout(() => reject(new Error(`no ${what} came; unread: ${got || 'nothing'}`)), patienceMs);
      this.#waiters.push({
        matches,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      });
    });
  }
}

function startLine(message: SipMessage): string {
  return message instanceof SipRequest ? message.method : `${message.status} ${message.cseq.method}`;
}

function closeSocket(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.destroy();
  });
}
