/** The gateway's REST interface as the page uses it. It owns paths and headers; it keeps no state. */
import { ApiError, errorOf } from './api-error.js';
import { EventStreamParser, type ServerEvent } from './event-stream.js';
import type { Call, CallRecord, ListName, Lists, LiveCalls } from './shapes.js';

/** What an operator can do to a recording. */
export type RecordingAction = 'start' | 'pause' | 'resume' | 'stop';

/** Beyond this a request counts as unanswered. */
const answerWithinMs = 10_000;

/** A stream that is silent for this long is dead: the gateway sends a comment at least every 15 s. */
const silenceMs = 45_000;

/** Records of ended calls that are read at a time. */
export const recordsInPage = 50;

const paths: Readonly<Record<ListName, string>> = {
  calls: 'calls?activity=true',
  recorders: 'recorders',
  relays: 'relays',
  policies: 'policies',
  registrations: 'registrations',
  records: `records?limit=${recordsInPage}`,
};

/**
 * A valid token. Rejects with `signed-out` when there is none.
 * @param refused one that the gateway has refused: another is wanted
 */
export type TokenSource = (refused?: string) => Promise<string>;

export class Gateway {
  readonly #base: string;
  readonly #token: TokenSource;

  /** @param base URL of `/api/v1/` */
  constructor(base: string, token: TokenSource) {
    this.#base = base;
    this.#token = token;
  }

  /** One of the lists, whole. Throws ApiError. */
  async list<Name extends ListName>(name: Name): Promise<Lists[Name]> {
    const body = await this.#json(paths[name]);
    const list = listIn(body, name);
    return (name === 'calls' ? liveCalls(body as Partial<LiveCalls>) : list) as Lists[Name];
  }

  /** The records before those that `list` gives: of calls that ended before this time. Throws ApiError. */
  async recordsBefore(time: Date): Promise<readonly CallRecord[]> {
    const body = await this.#json(`${paths.records}&before=${encodeURIComponent(time.toISOString())}`);
    return listIn(body, 'records') as readonly CallRecord[];
  }

  /** One call with how its voices flow. Throws ApiError. */
  async call(callId: string): Promise<Call> {
    return (await this.#json(`calls/${encodeURIComponent(callId)}?activity=true`)) as Call;
  }

  /** One call, with its parties unmasked: the gateway logs who asked. Throws ApiError. */
  async reveal(callId: string): Promise<Call> {
    return (await this.#json(`calls/${encodeURIComponent(callId)}?reveal=true`)) as Call;
  }

  /** Ends the call on both sides; answered when that is done. Throws ApiError. */
  async end(callId: string, reason: string): Promise<void> {
    await this.#request(`calls/${encodeURIComponent(callId)}/end`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason }),
    });
  }

  /** Answered when it is done. Throws ApiError. */
  async record(callId: string, action: RecordingAction): Promise<void> {
    await this.#request(`calls/${encodeURIComponent(callId)}/recording/${action}`, { method: 'POST' });
  }

  /**
   * What happens, until the server ends the stream or falls silent. `onOpen` is called once the stream has begun: lists read after that
   * miss nothing. Throws ApiError.
   */
  async follow(onOpen: () => void, onEvent: (event: ServerEvent) => void, signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    signal.addEventListener('abort', end, { once: true });
    let watchdog = setTimeout(end, answerWithinMs);
    try {
      const response = await this.#fetch('events', { headers: { accept: 'text/event-stream' }, signal: ended.signal });
      const parser = new EventStreamParser();
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      if (reader === undefined) throw new ApiError('malformed', 'The gateway sent no events.');
      onOpen();
      for (;;) {
        clearTimeout(watchdog);
        watchdog = setTimeout(end, silenceMs);
        const { done, value } = await reader.read();
        if (done) return;
        for (const event of parser.push(value)) onEvent(event);
      }
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError('offline', 'The stream of events broke off.');
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener('abort', end);
      end();
    }
  }

  async #json(path: string): Promise<unknown> {
    const response = await this.#request(path, {});
    try {
      return JSON.parse(response);
    } catch {
      throw new ApiError('malformed', 'The gateway’s answer is no JSON.');
    }
  }

  /** The answer's text, within the time of an answer. */
  async #request(path: string, init: RequestInit): Promise<string> {
    const response = await this.#fetch(path, { ...init, signal: AbortSignal.timeout(answerWithinMs) });
    try {
      return await response.text();
    } catch {
      throw new ApiError('offline', 'The gateway’s answer broke off.');
    }
  }

  /** A token that is refused is renewed once: the issuer may have withdrawn it, or this machine's clock be wrong. */
  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const token = await this.#token();
    let response = await this.#ask(path, init, token);
    if (response.status === 401) response = await this.#ask(path, init, await this.#token(token));
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  #ask(path: string, init: RequestInit, token: string): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    return fetch(this.#base + path, { ...init, headers, cache: 'no-store' }).catch(() => {
      throw new ApiError('offline', 'The gateway can’t be reached.');
    });
  }
}

function listIn(body: unknown, name: ListName): readonly unknown[] {
  const list = body !== null && typeof body === 'object' ? (body as Record<string, unknown>)[name] : undefined;
  if (!Array.isArray(list)) throw new ApiError('malformed', `The gateway's answer has no list of ${name}.`);
  return list;
}

/** A gateway of another release may tell nothing of instances. */
function liveCalls({ calls = [], instances = [], lost = [] }: Partial<LiveCalls>): LiveCalls {
  return { calls, instances, lost };
}
