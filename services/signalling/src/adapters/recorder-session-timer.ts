// The session timer of one recording dialog (RFC 4028): what our messages say of it, when we refresh, when the session is over. The rules
// are data of @sidestream/sip; how a refresh is made and what an end means, the dialog knows.
import {
  answerSession,
  formatSessionExpires,
  initialSessionClock,
  isSessionTooSmall,
  minSeIn,
  minSessionSeconds,
  type SessionClockEffect,
  type SessionClockEvent,
  type SessionClockTimer,
  SipError,
  type SipRequest,
  type SipResponse,
  sessionAgreed,
  sessionClockStep,
  sessionRefreshHeaders,
} from '@sidestream/sip';

type HeaderLines = readonly (readonly [name: string, value: string])[];

/** What our INVITE asks for; RFC 4028 §4 recommends it. */
const usualSeconds = 1_800;

/**
 * Session-Expires of an INVITE.
 * @param minSeconds what a recorder has asked for by 422 (§7.3); absent at first
 */
export function initialSessionHeaders(minSeconds?: number): HeaderLines {
  if (minSeconds === undefined) return [['Session-Expires', String(usualSeconds)]];
  return [
    ['Session-Expires', String(Math.max(usualSeconds, minSeconds))],
    ['Min-SE', String(minSeconds)],
  ];
}

/** The Min-SE of a 422; undefined for any other response, and for a 422 that says nothing of use. */
export function wantedMinSeconds(response: SipResponse | undefined): number | undefined {
  if (response?.status !== 422) return undefined;
  return readable(() => minSeIn(response));
}

export interface RecorderSessionTimerOptions {
  /** A re-INVITE is due. */
  readonly onRefresh: () => void;
  /** The session is over: nobody has refreshed it in time. */
  readonly onExpired: () => void;
  readonly now?: () => number;
}

export class RecorderSessionTimer {
  readonly #options: RecorderSessionTimerOptions;
  readonly #timers = new Map<SessionClockTimer, NodeJS.Timeout>();
  readonly #now: () => number;
  #state = initialSessionClock;
  #stopped = false;

  /** @param accepted the 2xx that made the dialog */
  constructor(accepted: SipResponse, options: RecorderSessionTimerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.responded(accepted);
  }

  /** Of a re-INVITE of ours; none without a session timer. */
  get headers(): HeaderLines {
    const wanted = sessionRefreshHeaders(this.#state);
    if (wanted === undefined) return [];
    const { sessionExpires, minSe } = wanted;
    return [
      ['Session-Expires', formatSessionExpires(sessionExpires)],
      ...(minSe === undefined ? [] : [['Min-SE', String(minSe)] as const]),
    ];
  }

  /** The final response to an INVITE or re-INVITE of ours. */
  responded(response: SipResponse): void {
    const { status } = response;
    if (status < 300) {
      const timer = readable(() => sessionAgreed(response));
      this.#dispatch({ type: 'agreed', timer });
      return;
    }
    const seconds = wantedMinSeconds(response);
    if (seconds !== undefined) this.#dispatch({ type: 'min-se', seconds });
    else this.#dispatch({ type: 'refused', status });
  }

  /** What the 422 says to a request of the recorder whose interval is too small (§9); undefined where it is not. */
  refusal(request: SipRequest): HeaderLines | undefined {
    if (readable(() => isSessionTooSmall(request)) !== true) return undefined;
    return [['Min-SE', String(minSessionSeconds)]];
  }

  /** What our 2xx to a re-INVITE or UPDATE of the recorder says; it refreshes the session, whoever does so (§9). */
  accept(request: SipRequest): HeaderLines {
    const seconds = request.headers.has('Min-SE') ? readable(() => minSeIn(request)) : undefined;
    if (seconds !== undefined) this.#dispatch({ type: 'min-se', seconds });
    const answer = readable(() => answerSession(request, undefined, this.#state.timer));
    this.#dispatch({ type: 'agreed', timer: answer?.timer });
    if (answer === undefined) return [];
    const lines: HeaderLines = [['Session-Expires', formatSessionExpires(answer.sessionExpires)]];
    return answer.requireTimer ? [...lines, ['Require', 'timer']] : lines;
  }

  /** Idempotent. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #dispatch(event: SessionClockEvent): void {
    if (this.#stopped) return;
    const { state, effects } = sessionClockStep(this.#state, event, this.#now());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SessionClockEffect): void {
    switch (effect.type) {
      case 'start-timer':
      case 'stop-timer': {
        clearTimeout(this.#timers.get(effect.timer));
        this.#timers.delete(effect.timer);
        if (effect.type === 'stop-timer') return;
        const due = () => this.#dispatch({ type: 'timer', timer: effect.timer });
        this.#timers.set(effect.timer, setTimeout(due, effect.ms).unref());
        return;
      }
      case 'refresh':
        this.#options.onRefresh();
        return;
      case 'end':
        this.#options.onExpired();
        return;
    }
  }
}

/** A header field that cannot be read says nothing. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SipError) return undefined;
    throw error;
  }
}
