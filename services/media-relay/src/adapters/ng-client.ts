// rtpengine's ng protocol over UDP: one command, one reply, found by its cookie. Owns the socket, retransmission and
// deadlines; knows no command. Retransmitting is safe because the engine keeps its reply per cookie and repeats it.
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { formatHostPort, type HostPort, inSpan, type Span, spanOf } from '@sidestream/service';
import { decodeMessage, encodeMessage, type NgDictionary } from './ng-message.js';

/** When the same datagram is sent again, in ms after the one before; the last one repeats until the deadline. */
const retransmitAfterMs = [250, 500, 1000, 2000] as const;
const maxDatagramBytes = 65_507;

/**
 * unavailable: nothing listens there, or it cannot be reached. timeout: no reply within the client's deadline. aborted:
 * the caller's signal, whose reason is the cause. refused: the engine's own `result: error`. overloaded: too many
 * commands in flight. too-long: no datagram can hold it. closed: the client was closed.
 */
export type NgFailure = 'unavailable' | 'timeout' | 'aborted' | 'refused' | 'overloaded' | 'too-long' | 'closed';

/** A command without success. The message never repeats what was sent: commands carry SDP and keys. */
export class NgError extends Error {
  override readonly name = 'NgError';
  readonly failure: NgFailure;
  readonly command: string;

  constructor(failure: NgFailure, command: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.failure = failure;
    this.command = command;
  }
}

export interface NgCommand extends NgDictionary {
  readonly command: string;
}

/** Where the client counts; all optional. */
export interface NgObserver {
  finished?(command: string, outcome: 'ok' | NgFailure, seconds: number, span: Span | undefined): void;
  retransmitted?(command: string): void;
  /** A datagram that belongs to no command in flight: late, doubled or garbage. */
  ignored?(): void;
}

export interface NgClientOptions {
  readonly address: HostPort;
  /** Total time for a command, in ms. */
  readonly deadlineMs?: number;
  readonly maxInFlight?: number;
  readonly observer?: NgObserver;
}

interface Exchange {
  readonly command: string;
  readonly datagram: Buffer;
  readonly settle: (result: NgDictionary | NgError) => void;
}

export class NgClient {
  /** `host:port`, for people. */
  readonly address: string;
  readonly #target: HostPort;
  readonly #deadlineMs: number;
  readonly #maxInFlight: number;
  readonly #observer: NgObserver;
  // Unique among all clients of the engine, also an earlier run of this one: the engine keeps replies for a while.
  readonly #cookiePrefix = randomBytes(8).toString('hex');
  readonly #exchanges = new Map<string, Exchange>();
  #sequence = 0;
  #socket: Promise<Socket> | undefined;
  #closed = false;

  constructor({ address, deadlineMs = 5_000, maxInFlight = 512, observer = {} }: NgClientOptions) {
    this.#target = address;
    this.address = formatHostPort(address);
    this.#deadlineMs = deadlineMs;
    this.#maxInFlight = maxInFlight;
    this.#observer = observer;
  }

  /**
   * Sends a command until its reply comes.
   *
   * @returns the reply, whose `result` is not `error`.
   * @throws NgError
   */
  request(body: NgCommand, signal: AbortSignal): Promise<NgDictionary> {
    const { command } = body;
    if (this.#closed) return Promise.reject(new NgError('closed', command, 'the ng client is closed'));
    if (signal.aborted) return Promise.reject(aborted(command, signal));
    if (this.#exchanges.size >= this.#maxInFlight)
      return Promise.reject(new NgError('overloaded', command, `${this.#maxInFlight} ng commands are in flight`));
    this.#sequence += 1;
    const cookie = `${this.#cookiePrefix}-${this.#sequence}`;
    const datagram = encodeMessage(cookie, body);
    if (datagram.length > maxDatagramBytes)
      return Promise.reject(new NgError('too-long', command, `'${command}' does not fit into a datagram`));
    return inSpan(`ng ${command}`, spanOf(signal), { kind: 'client' }, (span) =>
      this.#exchange(cookie, command, datagram, signal, span),
    );
  }

  /** Fails what is in flight and frees the socket. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#failAll('closed', 'the ng client is closed');
    await this.#dropSocket();
  }

  #exchange(
    cookie: string,
    command: string,
    datagram: Buffer,
    signal: AbortSignal,
    span: Span | undefined,
  ): Promise<NgDictionary> {
    const startedAt = performance.now();
    return new Promise((resolve, reject) => {
      let attempt = 0;
      const transmit = () => {
        const delay = retransmitAfterMs[Math.min(attempt, retransmitAfterMs.length - 1)];
        if (attempt > 0) this.#observer.retransmitted?.(command);
        attempt += 1;
        retransmission = setTimeout(transmit, delay);
        void this.#send(cookie, datagram);
      };
      const settle = (result: NgDictionary | NgError) => {
        if (!this.#exchanges.delete(cookie)) return;
        clearTimeout(retransmission);
        clearTimeout(deadline);
        signal.removeEventListener('abort', onAbort);
        const failed = result instanceof NgError;
        this.#observer.finished?.(
          command,
          failed ? result.failure : 'ok',
          (performance.now() - startedAt) / 1000,
          span,
        );
        if (failed) reject(result);
        else resolve(result);
      };
      const onAbort = () => settle(aborted(command, signal));
      const giveUp = () => {
        const message = `no reply to '${command}' from ${this.address} within ${this.#deadlineMs} ms`;
        settle(new NgError('timeout', command, message));
      };
      let retransmission: NodeJS.Timeout | undefined;
      const deadline = setTimeout(giveUp, this.#deadlineMs);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#exchanges.set(cookie, { command, datagram, settle });
      transmit();
    });
  }

  async #send(cookie: string, datagram: Buffer): Promise<void> {
    try {
      this.#socket ??= this.#connect();
      const socket = await this.#socket;
      if (!this.#exchanges.has(cookie)) return;
      socket.send(datagram, (error) => {
        // A full send buffer is a lost datagram like any other: the retransmission comes.
        if (error && !isTransient(error)) this.#fail(error);
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Connected, so that the kernel reports a closed port, and nobody else's datagrams are heard. */
  #connect(): Promise<Socket> {
    const { host, port } = this.#target;
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.on('message', (datagram) => this.#receive(datagram));
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      // No callback of connect(): it would be called on failure, too.
      socket.once('connect', () => {
        socket.removeAllListeners('error').on('error', (error) => this.#fail(error));
        resolve(socket);
      });
      socket.connect(port, host);
    });
  }

  #receive(datagram: Buffer): void {
    const message = decodeMessage(datagram);
    const exchange = message && this.#exchanges.get(message.cookie);
    if (exchange) exchange.settle(outcome(exchange.command, message.body));
    else this.#observer.ignored?.();
  }

  /** The engine cannot be reached: what is in flight fails now, the next command resolves its name anew. */
  #fail(error: unknown): void {
    if (this.#closed) return;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const message = code === 'ECONNREFUSED' ? `nothing listens at ${this.address}` : `${this.address}: ${code}`;
    this.#failAll('unavailable', message, error);
    void this.#dropSocket();
  }

  #failAll(failure: NgFailure, message: string, cause?: unknown): void {
    for (const { command, settle } of [...this.#exchanges.values()])
      settle(new NgError(failure, command, message, { cause }));
  }

  async #dropSocket(): Promise<void> {
    const dropped = this.#socket;
    this.#socket = undefined;
    const socket = await dropped?.catch(() => undefined);
    if (!socket) return;
    // The socket may report the same failure once more while it closes.
    socket.removeAllListeners('error').on('error', () => undefined);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

function outcome(command: string, reply: NgDictionary): NgDictionary | NgError {
  if (reply['result'] !== 'error') return reply;
  const reason = reply['error-reason'];
  return new NgError('refused', command, typeof reason === 'string' ? reason.slice(0, 200) : 'no reason given');
}

function aborted(command: string, signal: AbortSignal): NgError {
  return new NgError('aborted', command, `'${command}' was given up`, { cause: signal.reason });
}

function isTransient(error: Error): boolean {
  return 'code' in error && (error.code === 'ENOBUFS' || error.code === 'EAGAIN');
}
