// One connection of an application on the admin port: authentication, routes, ping, flow control. What a `sip` frame
// means is the business of whoever handles it.
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Logger, Secret } from '@sidestream/service';
import { encodeFrame, FrameError, FrameReader } from '../domain/frame.js';
import { type AppFrame, formatOk, formatRefusal, parseAppFrame } from '../domain/meta.js';

export type SipFrame = Extract<AppFrame, { type: 'sip' }>;

export interface AdminLimits {
  /** Largest payload taken from an authenticated client. */
  readonly maxFrameBytes: number;
  /** Bytes waiting for a client that reads too slowly; beyond it the connection is closed. */
  readonly maxQueueBytes: number;
  /** Frames in work for one client before no more is read from it. */
  readonly maxInFlight: number;
  readonly authenticationDeadlineMs: number;
}

export const defaultAdminLimits: AdminLimits = {
  maxFrameBytes: 262_144,
  maxQueueBytes: 16 * 1024 * 1024,
  maxInFlight: 1_000,
  authenticationDeadlineMs: 5_000,
};

/** What happens to the frames of a client once it has proved who it is. */
export interface AdminHandlers {
  readonly secret: Secret;
  /** Fields after OK: advertised listeners, version, local listeners. */
  welcome(): readonly string[];
  route(client: AdminClient, verb: string): boolean;
  removeRoute(client: AdminClient, verb: string): void;
  /** Resolves when the frame has been dealt with; every answer goes through `client.send`. */
  sip(client: AdminClient, frame: SipFrame): Promise<void>;
  closed(client: AdminClient): void;
}

/** Before authentication nothing longer than an `authenticate` frame has any business here. */
const maxUnauthenticatedFrameBytes = 4_096;

export class AdminClient {
  readonly name: string;
  readonly #socket: Socket;
  readonly #handlers: AdminHandlers;
  readonly #limits: AdminLimits;
  readonly #log: Logger;
  readonly #frames = new FrameReader(maxUnauthenticatedFrameBytes);
  readonly #deadline: NodeJS.Timeout;
  #authenticated = false;
  #closed = false;
  #inFlight = 0;

  constructor(socket: Socket, handlers: AdminHandlers, limits: AdminLimits, log: Logger) {
    this.name = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#socket = socket;
    this.#handlers = handlers;
    this.#limits = limits;
    this.#log = log.child({ client: this.name });
    this.#deadline = setTimeout(() => this.close('did not authenticate in time'), limits.authenticationDeadlineMs);
    this.#deadline.unref();
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('drain', () => this.#resume());
    socket.on('error', (error) => this.close(error.message));
    socket.on('end', () => this.close('the application closed the connection'));
    socket.on('close', () => this.close('connection closed'));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends one frame: the meta line and, if there is one, the SIP message after it. Never throws. */
  send(meta: string, sip?: Buffer): void {
    if (this.#closed) return;
    this.#socket.write(encodeFrame(meta, sip));
    if (this.#socket.writableLength > this.#limits.maxQueueBytes) this.close('reads too slowly');
  }

  /** Answers a frame of this client with `OK`. */
  ok(frameId: string, fields: readonly string[] = []): void {
    this.send(formatOk(randomUUID(), frameId, fields));
  }

  /** Answers a frame with `NOK`, the refusal of the SIP side. */
  nok(frameId: string, reason: string): void {
    this.send(formatRefusal(randomUUID(), frameId, 'NOK', reason));
  }

  /** Ends the connection; what is already written still goes out. Idempotent. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#deadline);
    this.#log.info({ reason, authenticated: this.#authenticated }, 'application disconnected');
    // A client that doesn't read would hold the socket for ever: end() first, so that a refusal arrives, then destroy.
    this.#socket.end();
    const force = setTimeout(() => this.#socket.destroy(), 1_000);
    force.unref();
    this.#socket.once('close', () => clearTimeout(force));
    if (this.#socket.writableLength > this.#limits.maxQueueBytes) this.#socket.destroy();
    this.#socket.resume();
    this.#handlers.closed(this);
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    try {
      for (const payload of this.#frames.push(chunk)) {
        this.#handle(parseAppFrame(payload));
        if (this.#closed) return;
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.close(error.message);
    }
    if (this.#mustWait()) this.#socket.pause();
  }

  #handle(frame: AppFrame): void {
    if (frame.type === 'authenticate') this.#authenticate(frame);
    else if (!this.#authenticated) this.#refuse(frame.id, 'not authenticated');
    else this.#obey(frame);
  }

  #obey(frame: Exclude<AppFrame, { type: 'authenticate' }>): void {
    switch (frame.type) {
      case 'route':
        if (this.#handlers.route(this, frame.verb)) this.ok(frame.id);
        else this.nok(frame.id, 'too many routes');
        break;
      case 'remove_route':
        this.#handlers.removeRoute(this, frame.verb);
        this.ok(frame.id);
        break;
      case 'ping':
        this.ok(frame.id, ['pong']);
        break;
      case 'proxy':
        this.nok(frame.id, 'proxy is not supported by this edge');
        break;
      case 'sip':
        this.#handleSip(frame);
        break;
      case 'unknown':
        this.#refuse(frame.id, 'Unknown message type');
        break;
      default:
        unreachable(frame);
    }
  }

  #authenticate(frame: Extract<AppFrame, { type: 'authenticate' }>): void {
    if (!equalInConstantTime(frame.secret, this.#handlers.secret.reveal())) {
      this.#refuse(frame.id, 'incorrect secret');
      return;
    }
    this.#authenticated = true;
    clearTimeout(this.#deadline);
    this.#frames.maxPayloadBytes = this.#limits.maxFrameBytes;
    this.#log.info({ tags: frame.tags }, 'application connected');
    this.ok(frame.id, this.#handlers.welcome());
  }

  #handleSip(frame: SipFrame): void {
    this.#inFlight += 1;
    this.#handlers
      .sip(this, frame)
      .catch((error: unknown) => {
        this.#log.error({ err: error }, 'a frame could not be handled');
        this.nok(frame.id, 'internal error');
      })
      .finally(() => {
        this.#inFlight -= 1;
        this.#resume();
      });
  }

  #refuse(frameId: string, reason: string): void {
    this.send(formatRefusal(randomUUID(), frameId, 'NO', reason));
    this.close(reason);
  }

  #mustWait(): boolean {
    return this.#inFlight >= this.#limits.maxInFlight || this.#socket.writableNeedDrain;
  }

  #resume(): void {
    if (!this.#closed && this.#socket.isPaused() && !this.#mustWait()) this.#socket.resume();
  }
}

/** Hashes make the lengths equal, so that neither content nor length of the secret shows in the time it takes. */
function equalInConstantTime(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function unreachable(value: never): never {
  throw new Error(`unexpected frame ${JSON.stringify(value)}`);
}
