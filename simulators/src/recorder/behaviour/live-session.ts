/** What a behaviour can do with a session that is up. Everything ends with the session: no timer outlives it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Headers, SipResponse } from '@sidestream/sip';
import type { MediaDirection } from '../../rtp/media-address.js';

/** A body with its type. */
export interface TypedBody {
  contentType: string;
  body: Buffer;
}

/** What the recorder's re-INVITE says; nothing changes without. */
export interface Reoffer {
  direction?: MediaDirection;
  headers?: Headers;
  /** A request for a metadata snapshot, beside the offer. */
  snapshot?: TypedBody;
  /** How often a 491 is tried again after the wait of RFC 3261 §14.1; never unless told. */
  glareRetries?: number;
}

/** What a session and its recorder let a behaviour do. Each resolves when it is answered, rejects when it is not. */
export interface SessionActions {
  bye(): Promise<void>;
  reinvite(reoffer: Reoffer): Promise<SipResponse>;
  /** A request within the dialog other than re-INVITE and BYE. */
  request(method: string, content: { headers?: Headers; contentType?: string; body?: Buffer }): Promise<SipResponse>;
  /** No packet is taken and no report leaves any more. */
  stopMedia(): void;
  /** Resets the connection of the dialog. */
  resetConnection(): void;
  restartRecorder(downMs: number): Promise<void>;
}

/** See the module's head. */
export interface LiveSession extends SessionActions {
  /** Aborted when the session ends. */
  readonly signal: AbortSignal;
  /** Does the work once, so much later. */
  after(delayMs: number, work: () => unknown): void;
  /** Does the work again and again, so much after the end of the time before. */
  every(intervalMs: number, work: () => Promise<unknown>): void;
}

/** A session as behaviours see it; `signal` aborts when it ends. Work that fails is over: the client may have gone. */
export function liveSession(actions: SessionActions, signal: AbortSignal): LiveSession {
  const later = async (delayMs: number, work: () => unknown) => {
    await delay(delayMs, undefined, { signal, ref: false });
    await work();
  };
  const again = async (intervalMs: number, work: () => Promise<unknown>): Promise<void> => {
    for (;;) await later(intervalMs, work);
  };
  return {
    ...actions,
    signal,
    after: (delayMs, work) => void later(delayMs, work).catch(() => undefined),
    every: (intervalMs, work) => void again(intervalMs, work).catch(() => undefined),
  };
}
