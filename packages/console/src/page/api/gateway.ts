/** The gateway's REST interface as the page uses it. It owns paths and headers; it keeps no state. */
import { ApiError, errorOf } from './api-error.js';
import { EventStreamParser, type ServerEvent } from './event-stream.js';
import type { Call, ListName, Lists } from './shapes.js';

/** What an operator can do to a recording. */
export type RecordingAction = 'start' | 'pause' | 'resume' | 'stop';

/** Beyond this a request counts as unanswered. */
const answerWithinMs = 10_000;

/** A stream that is silent for this long is dead: the gateway sends a comment at least every 15 s. */
const silenceMs = 45_000;

const paths: Readonly<Record<ListName, string>> = {
  calls: 'calls',
  recorders: 'recorders',
  relays: 'relays',
  policies: 'policies',
  registrations: 'registrations',
  records: 'records?limit=50',
};

export class Gateway {
  readonly #base: string;
  readonly #token: () => Promise<string>;

  /**
   * @param base URL of `/api/v1/`
   * @param token a valid token; rejects with `signed-out` when there is none
   */
  constructor(base: string, token: () => Promise<string>) {
    this.#base = base;
    this.#token = token;
  }

  /** One of the lists, whole. Throws ApiError. */
  async list<Name extends ListName>(name: Name): Promise<Lists[Name]> {
    const body = await this.#json(paths[name]);
    const list = body !== null && typeof body === 'object' ? (body as Record<string, unknown>)[name] : undefined;
    if (!Array.isArray(list)) throw new ApiError('malformed', `The gateway's answer has no list of ${name}.`);
    return list as unknown as Lists[Name];
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

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const authorization = `Bearer ${await this.#token()}`;
    const request = { ...init, headers: { ...init.headers, authorization }, cache: 'no-store' as const };
    const response = await fetch(this.#base + path, request).catch(() => {
      throw new ApiError('offline', 'The gateway can’t be reached.');
    });
    if (!response.ok) throw await errorOf(response);
    return response;
  }
}
