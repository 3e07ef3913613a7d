// One TCP or TLS connection as a Flow: framing, keep-alive, deadlines and a bound on what waits to be written.
import type { Socket } from 'node:net';
import type { MessageLimits } from '../message/message-limits.js';
import { SipError } from '../sip-error.js';
import type { PooledFlow } from './connection-pool.js';
import type { Flow, HostPort, TlsPeer, TransportProtocol } from './flow.js';
import { socketError } from './socket-error.js';
import { StreamFramer } from './stream-framer.js';

/** How connections behave; times in milliseconds, 0 = never. */
export interface StreamFlowOptions {
  readonly limits?: MessageLimits | undefined;
  /** Interval of CRLF pings on connections that we opened. */
  readonly keepAliveMs: number;
  /** How long a peer that has answered a ping before may stay silent after one. */
  readonly keepAliveTimeoutMs: number;
  /** Whether the peer's own pings are answered. */
  readonly answersPings: () => boolean;
  /** How long a connection may carry no SIP message; keep-alives are none. */
  readonly idleTimeoutMs: number;
  /** How long one message may take to arrive. */
  readonly messageTimeoutMs: number;
  /** How long the connection is not read after so many messages, in ms. */
  readonly pace: (remote: HostPort, messages: number) => number;
  readonly maxQueuedBytes: number;
}

/** Who hears what happens on a connection. */
export interface StreamFlowListener {
  message(bytes: Buffer, flow: Flow): void;
  sent(bytes: Buffer, flow: Flow): void;
  closed(flow: Flow, error?: SipError): void;
}

const ping = Buffer.from('\r\n\r\n');
const pong = Buffer.from('\r\n');
const closingMs = 1000;

/** A connected (TLS: handshaken) socket as a flow. */
export class StreamFlow implements PooledFlow {
  readonly id: string;
  readonly protocol: TransportProtocol;
  readonly reliable = true;
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly tls?: TlsPeer;
  readonly connectMs?: number;
  readonly #socket: Socket;
  readonly #options: StreamFlowOptions;
  readonly #listener: StreamFlowListener;
  readonly #framer: StreamFramer;
  silentSinceMs?: number;
  #heardAtMs = performance.now();
  #closed = false;
  #error: SipError | undefined;
  #pinged = false;
  #answersPings = false;
  #retired = false;
  #idleTimer: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #silenceTimer: NodeJS.Timeout | undefined;
  #messageTimer: NodeJS.Timeout | undefined;
  #closingTimer: NodeJS.Timeout | undefined;
  #pauseTimer: NodeJS.Timeout | undefined;

  constructor(o: {
    id: string;
    socket: Socket;
    protocol: TransportProtocol;
    tls?: TlsPeer | undefined;
    connectMs?: number | undefined;
    options: StreamFlowOptions;
    listener: StreamFlowListener;
  }) {
    const { socket } = o;
    this.id = o.id;
    this.protocol = o.protocol;
    if (o.tls !== undefined) this.tls = o.tls;
    if (o.connectMs !== undefined) this.connectMs = o.connectMs;
    this.local = { host: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    this.remote = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    this.#socket = socket;
    this.#options = o.options;
    this.#listener = o.listener;
    this.#framer = new StreamFramer(o.options.limits);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    if (o.options.idleTimeoutMs > 0) this.#idleTimer = setTimeout(() => this.close(), o.options.idleTimeoutMs).unref();
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => {
      this.#error ??= socketError(this.#peer, error);
    });
    socket.on('close', () => this.#ended());
  }

  get closed(): boolean {
    return this.#closed || this.#socket.destroyed;
  }

  get #peer(): string {
    return `${this.remote.host}:${this.remote.port}`;
  }

  /** Starts the pings of RFC 5626 §3.5.1; for connections that we opened. */
  keepAlive(): void {
    const { keepAliveMs } = this.#options;
    if (keepAliveMs <= 0 || this.#retired || this.closed) return;
    // The first one comes early: whether the peer answers pings at all must be known before it falls silent.
    const intervalMs = this.#pinged ? keepAliveMs : keepAliveMs / 8;
    // RFC 5626 §4.4.1: a random 80 to 100 per cent of the interval, so that many flows do not ping as one.
    this.#pingTimer = setTimeout(() => this.#ping(), intervalMs * (0.8 + Math.random() * 0.2)).unref();
  }

  /** Pings no more, so that nothing but SIP messages keeps the connection; it ends when they do (`idleTimeoutMs`). */
  retire(): void {
    this.#retired = true;
    for (const timer of [this.#pingTimer, this.#silenceTimer]) clearTimeout(timer);
  }

  send(bytes: Buffer): Promise<void> {
    this.#carried();
    this.#listener.sent(bytes, this);
    return this.#write(bytes);
  }

  #write(bytes: Buffer): Promise<void> {
    if (this.closed) return Promise.reject(new SipError('transport-failed', `${this.#peer}: the connection is closed`));
    if (this.#socket.writableLength + bytes.length > this.#options.maxQueuedBytes) {
      const error = new SipError('transport-failed', `${this.#peer}: the peer does not read what is sent`);
      this.#destroy(error);
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (cause) => {
        if (cause === null || cause === undefined) resolve();
        else
          reject(
            new SipError('transport-failed', `${this.#peer}: ${this.#error?.message ?? cause.message}`, { cause }),
          );
      });
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clearTimers();
    // What was written goes out first, but a peer that does not read cannot hold the socket open.
    this.#closingTimer = setTimeout(() => this.#socket.destroy(), closingMs).unref();
    this.#socket.destroySoon();
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    this.#heardAtMs = performance.now();
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = undefined;
    const frames = this.#framer.push(chunk);
    for (const [i, frame] of frames.entries()) {
      if (this.#closed) return;
      if (frame.kind === 'message') {
        this.#carried();
        this.#listener.message(frame.bytes, this);
      } else if (frame.kind === 'pong') {
        // The first half of a ping of the peer's own is no answer.
        if (this.#pinged && frames[i + 1]?.kind !== 'ping') this.#answersPings = true;
      } else if (frame.kind === 'ping') {
        if (this.#options.answersPings()) this.#write(pong).catch(ignored);
      } else if (frame.kind === 'unframeable') this.#giveUp(frame.bytes, frame.error);
    }
    if (frames.length > 0 || !this.#framer.pending) {
      clearTimeout(this.#messageTimer);
      this.#messageTimer = undefined;
    }
    if (this.#framer.pending && this.#messageTimer === undefined && !this.#closed) this.#awaitRest();
    if (!this.#closed) this.#rest(frames.filter(({ kind }) => kind !== 'pong').length);
  }

  // TCP holds up a sender that is not read: nothing is lost, and nothing is done for it meanwhile.
  #rest(messages: number): void {
    const pauseMs = messages === 0 ? 0 : this.#options.pace(this.remote, messages);
    if (pauseMs <= 0) return;
    this.#socket.pause();
    // What has not arrived by then is not the peer's delay.
    clearTimeout(this.#messageTimer);
    this.#messageTimer = undefined;
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => {
      if (this.#closed) return;
      this.#socket.resume();
      if (this.#framer.pending) this.#awaitRest();
    }, pauseMs).unref();
  }

  #carried(): void {
    if (!this.#closed) this.#idleTimer?.refresh();
  }

  // A peer that sends a byte now and then would hold its connection and buffer for ever.
  #awaitRest(): void {
    const { messageTimeoutMs } = this.#options;
    if (messageTimeoutMs <= 0) return;
    this.#messageTimer = setTimeout(() => {
      this.#destroy(new SipError('timed-out', `${this.#peer}: a message did not arrive within ${messageTimeoutMs} ms`));
    }, messageTimeoutMs).unref();
  }

  // The layer above may want to answer 400 or 513 and does so on this very flow, hence one turn of the event loop.
  #giveUp(bytes: Buffer, error: SipError): void {
    this.#error = error;
    this.#listener.message(bytes, this);
    setImmediate(() => this.close());
  }

  #ping(): void {
    const { keepAliveTimeoutMs } = this.#options;
    this.#write(ping).catch(ignored);
    this.#pinged = true;
    // RFC 5626 §4.4: without a sign that the peer knows this keep-alive no answer can be expected. An answer is the sign.
    if (this.#answersPings) {
      this.#silenceTimer ??= setTimeout(() => {
        this.silentSinceMs = this.#heardAtMs;
        this.#destroy(new SipError('transport-failed', `${this.#peer}: no answer to a keep-alive (RFC 5626 §4.4.1)`));
      }, keepAliveTimeoutMs).unref();
    }
    this.keepAlive();
  }

  #destroy(error: SipError): void {
    this.#closed = true;
    this.#error ??= error;
    this.#clearTimers();
    this.#socket.destroy();
  }

  #ended(): void {
    this.#closed = true;
    this.#clearTimers();
    clearTimeout(this.#closingTimer);
    this.#listener.closed(this, this.#error);
  }

  #clearTimers(): void {
    const timers = [this.#idleTimer, this.#pingTimer, this.#silenceTimer, this.#messageTimer, this.#pauseTimer];
    for (const timer of timers) clearTimeout(timer);
  }
}

// The failure of a keep-alive is told by the close of the flow.
function ignored(): void {}
