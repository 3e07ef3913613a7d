// One recorder as one tenant: its warm connection, its sessions, its health. INVITEs tell how it is; where none does, OPTIONS is sent.
import { type Logger, SidestreamError } from '@sidestream/service';
import { type Flow, SipError, type SipResponse, type Target, type Transports, type UaDialog } from '@sidestream/sip';
import {
  admits,
  type BreakerEvent,
  type BreakerState,
  newBreaker,
  standingOf,
  stepBreaker,
} from '../domain/recorder-breaker.js';
import type { RecorderCandidate } from '../domain/recorder-choice.js';
import { PacedWork, type Pacer } from './pacer.js';
import { RecorderConnection } from './recorder-connection.js';
import { failureOf, type RecorderFailure, retryAfterMs } from './recorder-failure.js';
import type { MeasuredRecorder, RecorderMetrics } from './recorder-metrics.js';

export interface RecorderLinkOptions {
  readonly tenant: string;
  readonly recorder: string;
  readonly place: number;
  readonly maxSessions: number;
  readonly target: Target;
  readonly transports: Transports;
  readonly onOpen: (flow: Flow) => void;
  /** Sends OPTIONS and gives the final response, whatever it is; rejects SipError. */
  readonly ask: (signal: AbortSignal) => Promise<SipResponse>;
  readonly timing: RecorderTiming;
  readonly pacer: Pacer;
  readonly metrics: RecorderMetrics;
  readonly log: Logger;
  /** Aborted when the client closes. */
  readonly closing: AbortSignal;
}

/** Milliseconds. */
export interface RecorderTiming {
  /** How often the connection and the certificate files are looked after. */
  readonly tendMs: number;
  /** How long a message from the recorder proves that it lives. */
  readonly provenMs: number;
  /** Within which a lost connection is dialled again; doubled while that does not help. */
  readonly redialMs: number;
}

export const usualTiming: RecorderTiming = { tendMs: 15_000, provenMs: 30_000, redialMs: 200 };
const maxRedialMs = 30_000;

/** Room for one session, taken before its INVITE. */
export interface SessionClaim {
  accepted(dialog: UaDialog): void;
  failed(error: unknown): void;
  /** It was accepted in a way that is no use. */
  readonly unusable: (why: string) => void;
}

export class RecorderLink {
  readonly connection: RecorderConnection;
  readonly #options: RecorderLinkOptions;
  readonly #log: Logger;
  readonly #care: PacedWork;
  #breaker: BreakerState = newBreaker;
  #sessions = 0;
  /** When the recorder was heard last. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #answersOptions = false;
  #lastFailure = '';

  constructor(options: RecorderLinkOptions) {
    this.#options = options;
    this.connection = new RecorderConnection(options.target, options.transports);
    this.#log = options.log.child({ tenant: options.tenant, recorder: options.recorder });
    this.#care = new PacedWork(options.pacer, () => this.#tend(), options.closing);
  }

  get target(): Target {
    return this.#options.target;
  }

  get candidate(): RecorderCandidate {
    const { recorder, place, maxSessions } = this.#options;
    const standing = standingOf(this.#breaker, performance.now());
    return { recorder, place, maxSessions, standing, sessions: this.#sessions };
  }

  get measured(): MeasuredRecorder {
    const { tenant, recorder, place } = this.#options;
    const { phase } = this.#breaker;
    return { tenant, recorder, place, phase, sessions: this.#sessions, lastFailure: this.#lastFailure };
  }

  /** Looks after the connection from now on: at once, then in turn. */
  start(): void {
    this.#care.within(0);
  }

  /**
   * Takes room for a session.
   * @throws SidestreamError `overloaded` at the cap, `recorder-unreachable` while the breaker lets no further INVITE out,
   *   `recorder-refused` while the recorder asks for none
   */
  claim(): SessionClaim {
    const { maxSessions, target } = this.#options;
    const now = performance.now();
    if (this.#sessions >= maxSessions)
      throw new SidestreamError('overloaded', `recorder ${target.host}: all ${maxSessions} sessions are taken`);
    if (!admits(this.#breaker, now)) {
      const restMs = this.#breaker.restUntilMs - now;
      const code = restMs > 0 ? 'recorder-refused' : 'recorder-unreachable';
      const why = restMs > 0 ? `wants no requests for another ${Math.ceil(restMs)} ms` : 'is not asked now';
      throw new SidestreamError(code, `recorder ${target.host} ${why}: ${this.#lastFailure}`);
    }
    const trial = this.#breaker.phase !== 'closed';
    this.#sessions += 1;
    if (trial) this.#step({ type: 'trial-begun' });
    let useless = false;
    const end = (): void => {
      if (trial) this.#step({ type: 'trial-ended' });
    };
    return {
      accepted: (dialog) => {
        // Whoever gets the dialog says in the same turn if its answer is no use; a success that is none must not shorten the backoff.
        setImmediate(() => {
          end();
          if (!useless) this.#step({ type: 'accepted' });
        });
        this.connection.carries(dialog);
        dialog.once('ended', (reason) => {
          this.#sessions -= 1;
          if (reason === 'error') this.#doubt();
        });
      },
      failed: (error) => {
        end();
        this.#sessions -= 1;
        this.#failed(failureOf(error));
      },
      unusable: (text) => {
        useless = true;
        this.#failed({ class: 'unusable', proof: 'invite', definite: true, text });
      },
    };
  }

  /** A message came from the recorder. */
  heard(): void {
    this.#heardAtMs = performance.now();
  }

  /** A connection has ended; `error` where that was no orderly end. */
  lost(flow: Flow, error: SipError | undefined): void {
    const { tenant, recorder, metrics, timing, closing } = this.#options;
    if (!this.connection.lost(flow) || closing.aborted) return;
    this.#heardAtMs = Number.NEGATIVE_INFINITY;
    // TLS 1.3: the recorder looks at our certificate after our side of the handshake is done, and then hangs up.
    if (error?.code === 'tls-refused') {
      this.#failed(failureOf(error));
      return;
    }
    metrics.failed(tenant, recorder, 'connection-lost');
    this.#care.within(
      Math.random() * Math.min(maxRedialMs, timing.redialMs * 2 ** Math.min(this.connection.shortLives, 10)),
    );
  }

  /** The connection for the next request, see RecorderConnection.open. @throws SipError of the dial */
  async open(signal: AbortSignal | undefined): Promise<{ flow: Flow; isNew: boolean }> {
    const opened = await this.connection.open(signal);
    const { connectMs } = opened.flow;
    if (opened.isNew) {
      this.#options.onOpen(opened.flow);
      if (connectMs !== undefined) this.#options.metrics.connected(connectMs);
    }
    return opened;
  }

  /** What was believed of the recorder may be wrong: it is asked soon. */
  #doubt(): void {
    this.#heardAtMs = Number.NEGATIVE_INFINITY;
    const soonMs = Math.random() * this.#options.timing.redialMs;
    this.#care.within(this.#breaker.linkFailures > 0 ? this.#nextMs() : soonMs);
  }

  #failed(failure: RecorderFailure | undefined): void {
    if (failure === undefined) return;
    const { tenant, recorder, metrics } = this.#options;
    metrics.failed(tenant, recorder, failure.class);
    this.#lastFailure = failure.text;
    this.#step({ type: 'failed', ...failure });
    if (this.#breaker.phase === 'closed') this.#doubt();
    else this.#care.within(this.#breaker.probeAtMs - performance.now());
  }

  #step(event: BreakerEvent): void {
    const before = this.#breaker.phase;
    this.#breaker = stepBreaker(this.#breaker, event, performance.now(), Math.random());
    const { phase, probeAtMs } = this.#breaker;
    if (phase === before) return;
    if (phase !== 'open') this.#log.info({ breaker: phase }, 'the recorder is asked again');
    else {
      const probeInMs = Math.round(probeAtMs - performance.now());
      this.#log.warn({ breaker: phase, why: this.#lastFailure, probeInMs }, 'the recorder is avoided');
    }
  }

  /** Resolves with the time until the next turn. */
  async #tend(): Promise<number> {
    try {
      await this.#lookAfter();
    } catch (error) {
      if (!(error instanceof SipError)) this.#log.error({ err: error }, 'the recorder could not be looked after');
      this.#failed(failureOf(error));
    }
    return this.#nextMs();
  }

  async #lookAfter(): Promise<void> {
    const { closing, timing } = this.#options;
    const now = performance.now();
    const { phase, probeAtMs } = this.#breaker;
    if (phase === 'open' && now < probeAtMs) return;
    const { flow, isNew } = await this.open(closing);
    if (phase !== 'open' && !isNew && now - this.#heardAtMs < timing.provenMs) return;
    await this.connection.during(() => this.#ask(flow));
  }

  async #ask(flow: Flow): Promise<void> {
    let response: SipResponse;
    try {
      response = await this.#options.ask(this.#options.closing);
    } catch (error) {
      if (!(error instanceof SipError) || error.code !== 'timed-out') throw error;
      // Whether a recorder answers OPTIONS at all is known once it has done so; before, its connection is all that it shows.
      if (!this.#answersOptions) return this.#step({ type: 'alive' });
      this.connection.suspect(flow);
      return this.#failed({ class: 'timed-out', proof: 'link', definite: false, text: 'OPTIONS is not answered' });
    }
    this.#answersOptions = true;
    this.connection.recorderLives();
    // What it says of OPTIONS says little of INVITEs; that it has no capacity does.
    if (response.status !== 503) return this.#step({ type: 'alive' });
    const rest = retryAfterMs(response.headers.get('retry-after'));
    const failure = { class: 'unavailable', proof: 'link', definite: false, text: 'OPTIONS: 503' } as const;
    this.#failed(rest === undefined ? failure : { ...failure, retryAfterMs: rest });
  }

  #nextMs(): number {
    const { timing } = this.#options;
    const { phase, probeAtMs, linkFailures } = this.#breaker;
    if (phase === 'open') return probeAtMs - performance.now();
    const spread = 0.8 + 0.4 * Math.random();
    if (linkFailures > 0) return spread * Math.min(maxRedialMs, timing.redialMs * 2 ** linkFailures);
    return spread * timing.tendMs;
  }
}
