/** The dialer's part: events of the gateway, once each and in order, into Dynamics 365. Wires stream and raiser. */
import { type Cif, CifError, type CifFailure } from './cif.js';
import { EventStream, type StreamOptions } from './event-stream.js';
import type { DialerEvent } from './events.js';
import { loadCif } from './load-cif.js';
import { keyOf, Memory, type MemoryStorage } from './memory.js';
import { type RaiseOutcome, Raiser, type RaiserOptions } from './raiser.js';
import { Recent } from './recent.js';
import type { ConnectionState, GetToken } from './states.js';

export interface DialerOptions {
  /** `wss://…/dialer/v1/events` */
  readonly url: string;
  /** Must give an access token of the seller for the gateway; asked before every connection and whenever the last one runs out. */
  readonly getToken: GetToken;
  /** `loadCif({ … })`; with the defaults unless told. */
  readonly cif?: Promise<Cif>;
  /** How events are given to raiseEvent: `object` (with Dates) unless told, or `json` (a string). */
  readonly payload?: 'object' | 'json';
  /** Where it outlives the page what has been raised so far, best in `sessionStorage`; nowhere unless told. */
  readonly storage?: MemoryStorage;
  /** Once: CIF is there, or why it is not and nothing will be raised. */
  readonly onCif?: (outcome: CifOutcome) => void;
  readonly onConnection?: (state: ConnectionState) => void;
  /** Every event, once, in order, as it comes. */
  readonly onEvent?: (event: DialerEvent) => void;
  /** What became of it in Dynamics 365. Not for CALL_NOT_RECORDED: nothing is raised then. */
  readonly onRaised?: (event: DialerEvent, outcome: RaiseOutcome) => void;
  /** For a log; without tokens. */
  readonly onProblem?: (text: string) => void;
  readonly timing?: StreamOptions['timing'] & RaiserOptions['timing'];
  readonly WebSocket?: StreamOptions['WebSocket'];
  readonly network?: StreamOptions['network'];
}

export type CifOutcome =
  | { readonly ready: true }
  | { readonly ready: false; readonly code: CifFailure | 'failed'; readonly detail: string };

export interface Dialer {
  /** Disconnects and raises nothing more; idempotent. */
  stop(): void;
}

const maxWaiting = 100;
const maxIds = 1_000;

/**
 * Starts at once and goes on until it is stopped or may not go on; every state is told by `onConnection`.
 *
 * @throws TypeError for a URL that is none of a WebSocket
 */
export function startDialer(options: DialerOptions): Dialer {
  const { url, getToken, payload = 'object', storage, timing, WebSocket, network } = options;
  if (!/^wss?:/.test(new URL(url).protocol)) throw new TypeError(`url: ${url} is not ws: or wss:`);
  const seen = new Recent(maxIds);
  const memory = new Memory(url, storage);
  const onProblem = (text: string) => tell(options.onProblem, text);
  const cif = options.cif ?? loadCif({ onRetry: (error) => onProblem(`${error}; trying again`) });
  let stopped = false;
  /** CIF is not there: for the next page, which may have it, this one has settled nothing since, in order. */
  let isUnraised = false;
  cif.then(
    () => stopped || tell(options.onCif, { ready: true }),
    (error) => stopped || tell(options.onCif, failureOf(error)),
  );
  const raiser = new Raiser({
    cif,
    payload,
    isStarted: (callId) => memory.isStarted(callId),
    onSettled: (event, outcome) => {
      isUnraised ||= outcome?.attempts === 0;
      if (!isUnraised) memory.settle(event, outcome?.raised === true);
      if (outcome) tell(options.onRaised, event, outcome);
    },
    onIdle: () => stream.release(),
    ...(timing && { timing }),
  });
  const stream = new EventStream({
    url,
    getToken,
    memory,
    onState: (state) => tell(options.onConnection, state),
    onProblem,
    onEvent: (event) => {
      const key = keyOf(event);
      if (seen.has(key) || memory.isSettled(event)) return;
      seen.add(key);
      tell(options.onEvent, event);
      raiser.push(event);
      if (raiser.waiting >= maxWaiting) stream.hold();
    },
    ...(timing && { timing }),
    ...(WebSocket && { WebSocket }),
    ...(network && { network }),
  });
  return {
    stop: () => {
      stopped = true;
      raiser.stop();
      stream.stop();
    },
  };
}

/** A listener of the page that throws is the page's problem: it is told as any uncaught error, and interrupts nothing here. */
function tell<A extends readonly unknown[]>(listener: ((...args: A) => void) | undefined, ...args: A): void {
  if (listener) queueMicrotask(() => listener(...args));
}

function failureOf(error: unknown): CifOutcome {
  return { ready: false, code: error instanceof CifError ? error.code : 'failed', detail: String(error) };
}
