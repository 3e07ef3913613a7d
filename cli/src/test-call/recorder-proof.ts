// What a recorder simulator says of a test call: it is asked for its sessions, and the one that has our packets is ours.
import { setTimeout as delay } from 'node:timers/promises';
import { bounded, httpGet, SidestreamError } from '@sidestream/service';
import {
  type SentPacket,
  type SessionStatus,
  type StreamPackets,
  sessionsAnswer,
  streamsAnswer,
} from '@sidestream/simulators';
import type { z } from 'zod';
import { streamOf } from './voices.js';

export interface FoundRecording {
  readonly session: SessionStatus;
  readonly streams: readonly StreamPackets[];
}

const againMs = 300;

/** Asks one recorder, at `http://host:port` of `sidestream recorder --status`. */
export class RecorderProof {
  readonly #origin: string;
  readonly #answerMs: number;
  #before = new Set<string>();

  /** @param answerMs what the recorder may take for an answer */
  constructor(origin: string, answerMs = 5_000) {
    this.#origin = origin.replace(/\/$/, '');
    this.#answerMs = answerMs;
  }

  /** Notes what is there before the call. @throws SidestreamError `not-ready`: nobody answers, or somebody else */
  async begin(signal: AbortSignal): Promise<void> {
    this.#before = new Set((await this.#sessions(signal)).map(idOf));
  }

  /**
   * Waits until the recording of this call has ended.
   *
   * @throws SidestreamError `not-found`: there is none, or it does not end, within the time; `not-ready`; the signal's reason
   */
  async find(sent: readonly (readonly SentPacket[])[], withinMs: number, signal: AbortSignal): Promise<FoundRecording> {
    const end = performance.now() + withinMs;
    const others = new Set<string>();
    let lives: SessionStatus | undefined;
    for (;;) {
      const candidates = (await this.#sessions(signal)).filter(
        (one) => !this.#before.has(idOf(one)) && !others.has(idOf(one)),
      );
      for (const session of candidates) {
        const streams = await this.#get(
          `/sessions/${encodeURIComponent(session.callId)}/packets`,
          streamsAnswer,
          signal,
        );
        const isOurs = sent.some((packets) => streamOf(packets, streams) !== undefined);
        if (isOurs && session.endedAt !== null) return { session, streams };
        if (isOurs) lives = session;
        else if (session.endedAt !== null) others.add(idOf(session));
      }
      if (performance.now() > end) break;
      await delay(againMs, undefined, { signal });
    }
    const since = `${others.size} other ${others.size === 1 ? 'recording has' : 'recordings have'} ended there meanwhile`;
    const what =
      lives === undefined
        ? `has no recording of the call (${since})`
        : `has recording ${lives.callId}, which does not end`;
    throw new SidestreamError('not-found', `the recorder at ${this.#origin} ${what}, after ${withinMs} ms`);
  }

  async #sessions(signal: AbortSignal): Promise<SessionStatus[]> {
    return (await this.#get('/sessions', sessionsAnswer, signal)).sessions;
  }

  async #get<S extends z.ZodType>(path: string, schema: S, signal: AbortSignal): Promise<z.output<S>> {
    const url = `${this.#origin}${path}`;
    try {
      const { status, body } = await bounded(this.#answerMs, signal, (within) => httpGet(url, within));
      if (status !== 200) throw new Error(`status ${status}`);
      return schema.parse(JSON.parse(body));
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      throw new SidestreamError('not-ready', `${url}: ${why}: is it the --status of a recorder simulator?`);
    }
  }
}

function idOf({ callId, startedAt }: SessionStatus): string {
  return `${callId} ${startedAt}`;
}
