// One dialer on its WebSocket: says who it is in its first frame, and again in place before its token ends; is told its seller's events.
// A token is in no URL and in no log line.
import { type Logger, RateLimit } from '@sidestream/service';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Told } from '../domain/dialer-event.js';
import type { DialerLog } from '../domain/dialer-log.js';
import { TokenRefused, type Tokens, type User } from '../domain/user.js';
import { arrivalOf } from './arrival.js';
import type { Connections } from './connections.js';

/** Codes of RFC 6455 §7.4: 4000 and above are ours. */
export const closeCodes = {
  malformed: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  silent: 4408,
  unknownEvent: 4409,
  tooMany: 4429,
  slow: 1013,
  goingAway: 1001,
} as const;

const authenticateSchema = z.strictObject({
  type: z.literal('authenticate'),
  token: z.string().min(1),
  lastEventId: z.string().max(64).optional(),
});

const defaultFirstFrameMs = 5_000;
/** How long before its token ends a dialer is asked for another one; of a short one it is half its time, lest each asking cause the next. */
const askAgainMs = 60_000;
/** A client that does not take our close frame. */
const closeGraceMs = 2_000;
const maxTimerMs = 2 ** 31 - 1;

export interface DialerSocketOptions {
  readonly tokens: Tokens;
  readonly dialerLog: DialerLog;
  readonly connections: Connections;
  readonly framesPerMinute: number;
  readonly behindBytes: number;
  /** Whether all that has happened is known here, but for what is on its way. */
  readonly isCurrent: () => boolean;
  readonly firstFrameMs?: number;
  readonly log: Logger;
}

export class DialerSocket {
  readonly #socket: WebSocket;
  readonly #options: DialerSocketOptions;
  readonly #frames: RateLimit;
  #timer: NodeJS.Timeout;
  #user: User | undefined;
  #busy = false;
  #leave: () => void = () => undefined;
  #unlisten: () => void = () => undefined;

  constructor(socket: WebSocket, options: DialerSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    const perSecond = options.framesPerMinute / 60;
    const clock = () => performance.now();
    this.#frames = new RateLimit({ perSecond, burst: options.framesPerMinute, clock, maxKeys: 1 });
    const { firstFrameMs = defaultFirstFrameMs } = options;
    this.#timer = setTimeout(() => this.close(closeCodes.silent, 'no first frame in time'), firstFrameMs);
    socket.on('message', (data, binary) => void this.#take(data, binary));
    // A frame that is too long, or none at all; ws has answered with 1009 or 1002 itself where it could.
    socket.on('error', () => this.close(closeCodes.malformed, 'malformed frame'));
    socket.on('close', () => this.#end());
  }

  close(code: number, reason: string): void {
    this.#end();
    if (this.#socket.readyState > this.#socket.OPEN) return;
    this.#options.log.info({ code, reason, seller: this.#user?.seller }, 'a dialer is closed');
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), closeGraceMs).unref();
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#unlisten();
    this.#leave();
  }

  async #take(data: RawData, binary: boolean): Promise<void> {
    if (!this.#frames.take('')) return void this.close(closeCodes.tooMany, 'too many frames');
    const frame = binary ? undefined : parsed(data);
    // Who sends again before it was answered speaks another protocol.
    if (frame === undefined || this.#busy) return void this.close(closeCodes.malformed, 'malformed frame');
    this.#busy = true;
    // It has said something; how long its token takes is not its fault, and has a bound of its own.
    if (this.#user === undefined) clearTimeout(this.#timer);
    try {
      const user = await this.#options.tokens.verify(frame.token);
      if (this.#isOpen) await this.#authenticated(user, frame.lastEventId);
    } catch (error) {
      const reason = error instanceof TokenRefused ? error.reason : 'issuer-unavailable';
      if (reason === 'issuer-unavailable') this.close(closeCodes.slow, reason);
      else this.close(reason === 'no-seller' ? closeCodes.forbidden : closeCodes.unauthenticated, reason);
    } finally {
      this.#busy = false;
    }
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  async #authenticated(user: User, lastEventId: string | undefined): Promise<void> {
    const before = this.#user;
    if (before !== undefined) {
      const same = before.tenant === user.tenant && before.seller === user.seller;
      if (!same || lastEventId !== undefined)
        return void this.close(closeCodes.forbidden, 'another user, or a resumption');
      this.#user = user;
      return void this.#greet(user);
    }
    const { connections, dialerLog } = this.#options;
    const leave = connections.enter(`${user.tenant}/${user.seller}`);
    if (leave === undefined) return void this.close(closeCodes.tooMany, 'too many connections');
    this.#leave = leave;
    this.#user = user;
    if (lastEventId !== undefined) await arrivalOf(lastEventId, user, dialerLog);
    if (!this.#isOpen) return;
    const resumption = lastEventId === undefined ? { missed: [] } : dialerLog.after(user, lastEventId);
    if (resumption === 'ahead' && !this.#options.isCurrent())
      return void this.close(closeCodes.slow, 'not ready for this lastEventId yet');
    if (typeof resumption === 'string') return void this.close(closeCodes.unknownEvent, 'unknown lastEventId');
    this.#greet(user);
    for (const told of resumption.missed) this.#tell(told);
    this.#unlisten = dialerLog.listen(user, (told) => this.#tell(told));
  }

  #greet(user: User): void {
    const { seller, expiresAtMs } = user;
    const expiresAt = new Date(expiresAtMs).toISOString();
    this.#send({ type: 'authenticated', seller, expiresAt, place: this.#options.dialerLog.placeOf(user) });
    const nowMs = Date.now();
    this.#later(Math.max(expiresAtMs - askAgainMs, (nowMs + expiresAtMs) / 2), () => {
      this.#send({ type: 'reauthenticate', expiresAt: new Date(expiresAtMs).toISOString() });
      this.#later(expiresAtMs, () => this.close(closeCodes.unauthenticated, 'expired'));
    });
  }

  #later(atMs: number, work: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, Math.min(maxTimerMs, Math.max(0, atMs - Date.now())));
  }

  #tell({ id, event, payload }: Told): void {
    this.#send({ type: 'event', id, event, payload });
  }

  #send(frame: object): void {
    if (!this.#isOpen) return;
    this.#socket.send(JSON.stringify(frame));
    if (this.#socket.bufferedAmount > this.#options.behindBytes) this.close(closeCodes.slow, 'does not keep up');
  }
}

function parsed(data: RawData): z.output<typeof authenticateSchema> | undefined {
  try {
    return authenticateSchema.parse(JSON.parse(data.toString()));
  } catch {
    return undefined;
  }
}
