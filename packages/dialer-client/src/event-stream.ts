/**
 * The WebSocket to the gateway: connects, authenticates, resumes, starts again. It owns the socket and the only timer; what is made of
 * events is not its business.
 */
import { type DialerEvent, readFrame } from './events.js';
import type { Memory } from './memory.js';
import { type ConnectionState, closeReason, type GetToken, type StopReason, type WaitReason } from './states.js';

export interface StreamOptions {
  readonly url: string;
  readonly getToken: GetToken;
  /** Where to resume at first, and of whom. */
  readonly memory: Pick<Memory, 'place' | 'enter' | 'restart'>;
  readonly onState: (state: ConnectionState) => void;
  readonly onEvent: (event: DialerEvent) => void;
  readonly onProblem: (text: string) => void;
  readonly timing?: Partial<Timing>;
  /** The browser's unless told. */
  readonly WebSocket?: typeof WebSocket;
  /** Where `online` and `offline` are told; the browser's window unless told. */
  readonly network?: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
}

export interface Timing {
  /** From asking for a token to the gateway's first frame. */
  readonly connectMs: number;
  /** From asking whether the gateway is still there to its answer. */
  readonly answerMs: number;
  /** Nothing heard for so long: ask. A browser doesn't tell of a connection that has gone silently. */
  readonly silenceMs: number;
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** A connection that held for so long was a good one: the next retry is a first one. */
  readonly stableMs: number;
}

const defaults: Timing = {
  connectMs: 30_000,
  answerMs: 10_000,
  silenceMs: 45_000,
  firstRetryMs: 500,
  longestRetryMs: 30_000,
  stableMs: 10_000,
};
/** Fresh tokens that are refused in a row before it is over. */
const maxRefusals = 3;

export class EventStream {
  readonly #options: StreamOptions;
  readonly #timing: Timing;
  readonly #network: StreamOptions['network'];
  #lastEventId: string | undefined;
  /** Whose events these are, once the gateway has said so. */
  #seller: string | undefined;
  /** What belongs to an earlier one (a token that comes late, a socket's last words) is not heard. */
  #generation = 0;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #connectedAt: number | undefined;
  #failures = 0;
  #refusals = 0;
  /** The next token must be a new one. */
  #refresh = false;
  /** An authentication is under way; the gateway takes no second one before it has answered. */
  #asking = false;
  #phase: 'connecting' | 'connected' | 'waiting' | 'held' | 'stopped' = 'connecting';

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#timing = { ...defaults, ...options.timing };
    this.#lastEventId = options.memory.place;
    this.#network = options.network ?? (typeof window === 'undefined' ? undefined : window);
    this.#network?.addEventListener('online', this.#onOnline);
    this.#network?.addEventListener('offline', this.#onOffline);
    void this.#connect();
  }

  /** Ends it for good; idempotent. */
  stop(reason: StopReason = 'stopped', detail = ''): void {
    if (this.#phase === 'stopped') return;
    this.#leave('stopped');
    this.#network?.removeEventListener('online', this.#onOnline);
    this.#network?.removeEventListener('offline', this.#onOffline);
    this.#options.onState({ state: 'stopped', reason, detail });
  }

  /** Disconnects until {@link release}: what comes meanwhile stays with the gateway. */
  hold(): void {
    if (this.#phase === 'stopped') return;
    this.#leave('held');
    this.#options.onState({ state: 'waiting', reason: 'cif-busy', detail: '', retryInMs: 0 });
  }

  release(): void {
    if (this.#phase === 'held') void this.#connect();
  }

  async #connect(): Promise<void> {
    const generation = this.#leave('connecting');
    this.#options.onState({ state: 'connecting' });
    this.#arm(this.#timing.connectMs, () => this.#wait('no-answer', 'no token and no connection in time'));
    let reason: WaitReason = 'no-token';
    try {
      // Before connecting, because the gateway waits a few seconds only for the first frame.
      const token = await this.#token();
      // A browser may refuse at once, as it does ws: in a page of https:.
      reason = 'connection-lost';
      if (generation === this.#generation) this.#open(generation, token);
    } catch (error) {
      if (generation === this.#generation) this.#wait(reason, String(error));
    }
  }

  #open(generation: number, token: string): void {
    const socket = new (this.#options.WebSocket ?? WebSocket)(this.#options.url);
    this.#socket = socket;
    this.#asking = true;
    const hear = <E>(listener: (event: E) => void) => {
      return (event: E) => generation === this.#generation && listener(event);
    };
    socket.addEventListener(
      'open',
      hear(() => this.#authenticate(token, this.#lastEventId)),
    );
    socket.addEventListener(
      'message',
      hear(({ data }) => this.#receive(data)),
    );
    socket.addEventListener(
      'close',
      hear(({ code, reason }) => this.#closed(code, reason)),
    );
    // What went wrong is told by the close that follows; browsers say nothing here.
    socket.addEventListener('error', () => undefined);
  }

  #authenticate(token: string, lastEventId?: string): void {
    this.#socket?.send(JSON.stringify({ type: 'authenticate', token, lastEventId }));
  }

  #receive(data: unknown): void {
    const frame = readFrame(data);
    if (frame?.type === 'authenticated') this.#asking = false;
    if (!this.#asking) this.#arm(this.#timing.silenceMs, () => void this.#ask());
    switch (frame?.type) {
      case 'authenticated':
        if (!this.#enter(frame.seller, frame.place)) break;
        this.#phase = 'connected';
        this.#connectedAt ??= performance.now();
        this.#refusals = 0;
        this.#options.onState({ state: 'connected', seller: frame.seller, expiresAt: frame.expiresAt });
        if (this.#refresh) void this.#ask();
        break;
      case 'event':
        this.#lastEventId = frame.event.id;
        this.#options.onEvent(frame.event);
        break;
      case 'reauthenticate':
        this.#refresh = true;
        if (!this.#asking) void this.#ask();
        break;
      case 'unknown':
        this.#lastEventId = frame.id ?? this.#lastEventId;
        this.#options.onProblem('the gateway sent what this version does not know');
        break;
      case undefined:
        this.#options.onProblem('the gateway sent what is no frame');
    }
  }

  /** Whether the events that follow are the ones that were asked for. */
  #enter(seller: string, place: string | undefined): boolean {
    if (this.#seller !== undefined && this.#seller !== seller) {
      this.stop('forbidden', 'another seller');
      return false;
    }
    const { memory } = this.#options;
    const isFirst = this.#seller === undefined;
    this.#seller = seller;
    if (!isFirst || memory.enter(seller, place)) {
      // Who has had no event yet resumes from where it began.
      this.#lastEventId ??= place;
      return true;
    }
    // Resumed where another seller was.
    this.#lastEventId = memory.place;
    void this.#connect();
    return false;
  }

  /** Authenticates in place: renews the token where that is due, and shows by the answer that the gateway is there. */
  async #ask(): Promise<void> {
    const { answerMs } = this.#timing;
    const generation = this.#generation;
    this.#asking = true;
    this.#arm(answerMs, () => this.#wait('no-answer', 'the gateway is silent'));
    try {
      const token = await this.#token();
      if (generation === this.#generation) this.#authenticate(token);
    } catch (error) {
      if (generation !== this.#generation) return;
      // The connection may be good; the gateway ends it when the token does.
      this.#asking = false;
      this.#options.onProblem(`no token: ${String(error)}`);
      this.#arm(answerMs, () => void this.#ask());
    }
  }

  async #token(): Promise<string> {
    const refresh = this.#refresh;
    this.#refresh = false;
    try {
      return await this.#options.getToken({ refresh });
    } catch (error) {
      this.#refresh ||= refresh;
      throw error;
    }
  }

  #closed(code: number, text: string): void {
    const reason = closeReason(code, text);
    const detail = text || `close code ${code}`;
    if (reason === 'token-refused') {
      this.#refresh = true;
      this.#refusals += 1;
    }
    if (reason === 'unknown-event-id') {
      this.#options.memory.restart();
      this.#lastEventId = this.#options.memory.place;
    }
    if (reason === 'forbidden' || this.#refusals > maxRefusals) {
      this.stop(reason === 'forbidden' ? reason : 'token-refused', detail);
    } else this.#wait(reason, detail);
  }

  #wait(reason: WaitReason, detail: string): void {
    const { firstRetryMs, longestRetryMs, stableMs } = this.#timing;
    if (this.#connectedAt !== undefined && performance.now() - this.#connectedAt >= stableMs) this.#failures = 0;
    this.#leave('waiting');
    // All that were connected to a gateway which restarts come back; they come spread.
    if (reason === 'going-away' || reason === 'too-many') this.#failures = Math.max(this.#failures, 2);
    const limit = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures);
    this.#failures += 1;
    const retryInMs = Math.round(limit * (0.5 + Math.random() / 2));
    this.#options.onState({ state: 'waiting', reason, detail, retryInMs });
    this.#arm(retryInMs, () => void this.#connect());
  }

  /** Forgets the socket, whose close may take minutes where the network is gone. */
  #leave(phase: 'connecting' | 'waiting' | 'held' | 'stopped'): number {
    clearTimeout(this.#timer);
    this.#phase = phase;
    this.#connectedAt = undefined;
    this.#socket?.close(1000);
    this.#socket = undefined;
    this.#generation += 1;
    return this.#generation;
  }

  #arm(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  readonly #onOnline = () => {
    if (this.#phase === 'waiting') void this.#connect();
  };

  readonly #onOffline = () => {
    if (this.#phase === 'connecting' || this.#phase === 'connected') this.#wait('offline', '');
  };
}
