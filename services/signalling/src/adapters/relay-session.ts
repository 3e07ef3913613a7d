// A media session at its relay, over gRPC: every request of it, within the trace of its call.
import type { MediaRelayServiceClient } from '@sidestream/proto/media/v1';
import { callSpan, callUnary, SidestreamError, type Span } from '@sidestream/service';
import type { MediaCounts } from '../domain/media-counts.js';
import type { Party } from '../domain/parties.js';
import type { ForkCondition, ForkStream, MediaSession, PartyTerms } from '../domain/ports.js';
import { readFork, readPackets, readStreams, wireParty, writeTerms } from './media-messages.js';

/** Hears how a fork does its work. */
export type ForkListener = (condition: ForkCondition, lastedMs: number) => void;

/** The relay of a session. */
export interface RelayOfSession {
  readonly address: string;
  readonly client: MediaRelayServiceClient;
  /** One that is closed leaves it at once. */
  readonly sessions: Pick<Map<string, unknown>, 'delete'>;
}

/** Of a request to a relay. */
export const relayDeadlineMs = 2_000;

export class RelaySession implements MediaSession {
  readonly #relay: RelayOfSession;
  readonly #sessionId: string;
  readonly #forks: Map<string, ForkListener>;
  /** The call's trace, which may be over before the session is. */
  readonly #within: Span | undefined;

  constructor(relay: RelayOfSession, sessionId: string, forks: Map<string, ForkListener>) {
    this.#relay = relay;
    this.#sessionId = sessionId;
    this.#forks = forks;
    this.#within = callSpan(sessionId);
  }

  get relay(): string {
    return this.#relay.address;
  }

  async update(offerer: Party, sdp: string, signal: AbortSignal, terms: PartyTerms = {}): Promise<string> {
    const { client } = this.#relay;
    const request = { sessionId: this.#sessionId, offerer: wireParty[offerer], sdp, terms: writeTerms(terms) };
    return (await this.#ask(client.updateSession.bind(client), request, { deadlineMs: relayDeadlineMs, signal })).sdp;
  }

  async answer(answerer: Party, sdp: string, signal: AbortSignal): Promise<string> {
    const { client } = this.#relay;
    const request = { sessionId: this.#sessionId, answerer: wireParty[answerer], sdp };
    return (await this.#ask(client.answerSession.bind(client), request, { deadlineMs: relayDeadlineMs, signal })).sdp;
  }

  async close(signal: AbortSignal): Promise<MediaCounts> {
    const { client, sessions } = this.#relay;
    sessions.delete(this.#sessionId);
    const { media, forks } = await this.#ask(
      client.closeSession.bind(client),
      { sessionId: this.#sessionId },
      { deadlineMs: 2 * relayDeadlineMs, signal },
    );
    return { received: readPackets(media), forks: new Map(forks.map((fork) => [fork.forkId, readFork(fork)])) };
  }

  async startFork(forkId: string, parties: readonly Party[], signal: AbortSignal): Promise<ForkStream[]> {
    const { client } = this.#relay;
    const request = this.#forkRequest(forkId, parties);
    return readStreams(
      await this.#ask(client.startFork.bind(client), request, { deadlineMs: relayDeadlineMs, signal }),
    );
  }

  async resumeFork(forkId: string, parties: readonly Party[], signal: AbortSignal): Promise<ForkStream[]> {
    const { client } = this.#relay;
    const request = this.#forkRequest(forkId, parties);
    return readStreams(
      await this.#ask(client.resumeFork.bind(client), request, { deadlineMs: relayDeadlineMs, signal }),
    );
  }

  async pauseFork(forkId: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#relay;
    await this.#ask(
      client.pauseFork.bind(client),
      { sessionId: this.#sessionId, forkId },
      { deadlineMs: relayDeadlineMs, signal },
    );
  }

  #ask: typeof callUnary = (method, request, bounds) => callUnary(method, request, { ...bounds, within: this.#within });

  #forkRequest(forkId: string, parties: readonly Party[]) {
    return { sessionId: this.#sessionId, forkId, parties: parties.map((party) => wireParty[party]) };
  }

  async answerFork(forkId: string, sdp: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#relay;
    await this.#ask(
      client.answerFork.bind(client),
      { sessionId: this.#sessionId, forkId, sdp },
      { deadlineMs: relayDeadlineMs, signal },
    );
  }

  watchFork(forkId: string, onChange: ForkListener): void {
    this.#forks.set(forkId, onChange);
  }

  async stopFork(forkId: string, signal: AbortSignal): Promise<void> {
    this.#forks.delete(forkId);
    const { client } = this.#relay;
    const request = { sessionId: this.#sessionId, forkId };
    try {
      await this.#ask(client.stopFork.bind(client), request, { deadlineMs: relayDeadlineMs, signal });
    } catch (error) {
      // The session has ended meanwhile, and its forks with it.
      if (SidestreamError.from(error).code !== 'not-found') throw error;
    }
  }
}
