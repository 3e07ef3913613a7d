// From the event stream into the fold and from there into the sellers' logs: first what was, then what comes.

import type { Event } from '@sidestream/proto/events/v1';
import {
  type Bus,
  EventFeed,
  endSpan,
  type Logger,
  remoteSpan,
  type StreamPlace,
  startSpan,
} from '@sidestream/service';
import type { DialerFold } from '../domain/dialer-fold.js';
import type { DialerLog } from '../domain/dialer-log.js';
import type { KnownCalls } from '../domain/known-calls.js';

const tickMs = 250;
/** A deadline is taken to have passed only when no event from before it can still be on its way. */
const lateMs = 2_000;
/** After a loss of NATS or of its stream, what was stored meanwhile is on its way for so long. */
const recoveryMs = 5_000;

export interface EventIntakeOptions {
  readonly fold: DialerFold;
  readonly dialerLog: DialerLog;
  readonly known: KnownCalls;
  readonly historyMs: number;
  readonly onCaughtUp: () => void;
  /** The stream was lost and made anew: what happened last in the one before may never be told. */
  readonly onRestart: () => void;
  /** Every event that comes, after what was. `tenant`: whose it is; undefined where that is nobody's, or unknown. */
  readonly onEvent: (event: Event, tenant: string | undefined) => void;
  readonly log: Logger;
}

export class EventIntake {
  readonly #bus: Bus;
  readonly #options: EventIntakeOptions;
  readonly #feed: EventFeed;
  readonly #starting = new AbortController();
  #caughtUp = false;
  #ticking: NodeJS.Timeout | undefined;
  /** What happens meanwhile comes later: nothing is late before it could have come. */
  #quietUntilMs = 0;

  constructor(bus: Bus, options: EventIntakeOptions) {
    this.#bus = bus;
    this.#options = options;
    this.#feed = new EventFeed(bus, {
      log: options.log,
      since: new Date(Date.now() - options.historyMs),
      onCaughtUp: (sequence) => this.#present(sequence),
      onRestart: () => {
        options.dialerLog.restart();
        options.fold.restart();
        options.onRestart();
      },
    });
  }

  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  /** Whether all that has happened has been read, but for what is on its way: not while NATS or its stream is away, nor just after. */
  get current(): boolean {
    if (!this.#caughtUp) return false;
    const nowMs = Date.now();
    // Also a gap that no tick has seen.
    if (!this.#bus.connected || !this.#feed.isLive) this.#quietUntilMs = nowMs + recoveryMs;
    return nowMs >= this.#quietUntilMs;
  }

  /** Returns at once; NATS may come later. */
  start(): void {
    const started = this.#feed.start((event, place) => this.#take(event, place), this.#starting.signal);
    // It rejects only when it is stopped before NATS has come.
    started.catch(() => undefined);
  }

  stop(): void {
    this.#starting.abort(new Error('stopped'));
    this.#feed.stop();
    clearInterval(this.#ticking);
  }

  /** The call has gone with its instance: its seller is told of the end that no event tells. @param time when that was */
  lose(callId: string, time: Date): void {
    const { fold, dialerLog } = this.#options;
    for (const told of fold.lose(callId, time)) dialerLog.add(told, Date.now());
  }

  /** What was there before is in no trace that anybody looks at. */
  #take(event: Event, place: StreamPlace): void {
    const within = this.#caughtUp ? remoteSpan(place.traceparent) : undefined;
    const span = startSpan(`dialer ${event.body?.$case ?? ''}`, within, { kind: 'consumer' });
    this.#fold(event, place);
    endSpan(span);
  }

  #fold(event: Event, { sequence, storedAtMs }: StreamPlace): void {
    const { fold, dialerLog, known, onEvent } = this.#options;
    dialerLog.read(sequence);
    const { body, time = new Date(storedAtMs) } = event;
    if (body === undefined) return;
    known.take(event);
    for (const told of fold.take({ sequence, storedAtMs, time, body })) dialerLog.add(told, storedAtMs);
    if (this.#caughtUp) onEvent(event, known.tenantOf(body));
  }

  /** @param sequence of the last event of the stream, which may be older than all that is read */
  #present(sequence: number): void {
    const { fold, dialerLog, historyMs, onCaughtUp } = this.#options;
    dialerLog.read(sequence);
    this.#caughtUp = true;
    this.#ticking = setInterval(() => {
      const nowMs = Date.now();
      dialerLog.forget(nowMs - historyMs);
      if (!this.current) return;
      for (const told of fold.expire(nowMs - lateMs)) dialerLog.add(told, nowMs);
    }, tickMs);
    onCaughtUp();
  }
}
