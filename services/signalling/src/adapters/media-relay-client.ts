// The media relays over gRPC: which one a new call gets, and everything that is asked of it afterwards. A call stays with its relay.
import type { ChannelCredentials } from '@grpc/grpc-js';
import { type ForkChanged, MediaRelayServiceClient } from '@sidestream/proto/media/v1';
import { callSpan, callUnary, type ErrorCode, type Logger, pause, SidestreamError } from '@sidestream/service';
import type { ActivitySource, CallActivity } from '../domain/call-activity.js';
import type { CallId } from '../domain/identifiers.js';
import type { Party } from '../domain/parties.js';
import type { MediaRelays, MediaSession, MediaWatcher, PartyTerms } from '../domain/ports.js';
import { type RelayLease, rankRelays } from '../domain/relay-choice.js';
import { readActivity, readCondition, wireParty, writeTerms } from './media-messages.js';
import { type ForkListener, type RelayOfSession, RelaySession, relayDeadlineMs } from './relay-session.js';

export interface MediaRelayClientOptions {
  /** What is known now from NATS; empty without it. */
  readonly leases: () => Iterable<RelayLease>;
  /** Addresses of the configuration: the cold start without NATS. */
  readonly configured: readonly string[];
  readonly region: string | undefined;
  readonly credentials: () => ChannelCredentials;
  readonly log: Logger;
}

interface Session {
  readonly watcher: MediaWatcher;
  /** Whom to tell how forks do their work, by fork. */
  readonly forks: Map<string, ForkListener>;
  /** The relay has said that it has the session. */
  open: boolean;
}

interface Relay extends RelayOfSession {
  /** The calls that live there, and whom to tell when their media is lost. */
  readonly sessions: Map<string, Session>;
  readonly closing: AbortController;
  reconciling: boolean;
}

const maxAttempts = 3;
const watchRetryMs = 1_000;
/** Between the two times that a relay has to say that it has no such session. */
const confirmMs = 1_000;
/** Another relay may do better; everything else is wrong with the call itself. */
const worthAnother: readonly ErrorCode[] = [
  'relay-unavailable',
  'media-engine-unavailable',
  'deadline-exceeded',
  'overloaded',
  'draining',
  'not-admitted',
  'not-ready',
];
/** Who looks at a call is not kept waiting by a relay that has other things to do. */
const measureDeadlineMs = 700;
/** The same where two looks are waited for. */
const measureTwiceDeadlineMs = 1_500;
export class MediaRelayClient implements MediaRelays, ActivitySource {
  readonly #options: MediaRelayClientOptions;
  readonly #relays = new Map<string, Relay>();
  /** Sessions opened since the leases were read last: the leases do not count them yet. */
  readonly #pending = new Map<string, number>();

  constructor(options: MediaRelayClientOptions) {
    this.#options = options;
  }

  unavailable(): ReturnType<MediaRelays['unavailable']> {
    if (this.#ranked().length > 0) return undefined;
    const known = [...this.#options.leases()];
    if (known.length === 0) return { full: false, text: 'none available' };
    const full = known.some((lease) => !lease.draining);
    return { full, text: full ? 'all are full' : 'all are draining' };
  }

  /**
   * The leases were read anew: connects to new relays, so that no call pays for it, and forgets old ones. A relay without a lease is
   * asked whether it still has our calls; while it cannot be reached they go on, because their media does.
   */
  refresh(): void {
    this.#pending.clear();
    const known = new Set([...this.#options.leases()].map((lease) => lease.address));
    for (const address of [...known, ...this.#options.configured]) this.#relay(address);
    for (const relay of this.#relays.values()) {
      if (known.has(relay.address)) continue;
      if (relay.sessions.size > 0) void this.#reconcile(relay);
      else if (!this.#options.configured.includes(relay.address)) this.#drop(relay);
    }
  }

  async open(
    callId: CallId,
    offerer: Party,
    sdp: string,
    watcher: MediaWatcher,
    signal: AbortSignal,
    terms: PartyTerms = {},
  ): Promise<{ media: MediaSession; sdp: string }> {
    let failure: SidestreamError | undefined;
    for (const address of this.#ranked().slice(0, maxAttempts)) {
      const relay = this.#relay(address);
      try {
        const session: Session = { watcher, forks: new Map(), open: false };
        relay.sessions.set(callId, session);
        const request = { sessionId: callId, offerer: wireParty[offerer], sdp, terms: writeTerms(terms) };
        const bounds = { deadlineMs: relayDeadlineMs, signal, within: callSpan(callId) };
        const opened = await callUnary(relay.client.openSession.bind(relay.client), request, bounds);
        session.open = true;
        this.#pending.set(address, (this.#pending.get(address) ?? 0) + 1);
        return { media: new RelaySession(relay, callId, session.forks), sdp: opened.sdp };
      } catch (error) {
        relay.sessions.delete(callId);
        failure = SidestreamError.from(error);
        this.#closeUnheard(relay, callId, failure);
        if (!signal.aborted) failure = named(address, failure);
        if (signal.aborted || !worthAnother.includes(failure.code)) break;
        this.#options.log.warn({ relay: address, err: failure }, 'a media relay is passed over');
      }
    }
    throw (
      failure ??
      new SidestreamError('relay-unavailable', `media relay: ${this.unavailable()?.text ?? 'none available'}`)
    );
  }

  async measure(
    calls: readonly CallId[],
    wait: boolean,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, CallActivity>> {
    const asked = [...this.#relays.values()].map(async ({ client, sessions }) => {
      const sessionIds = calls.filter((id) => sessions.has(id));
      if (sessionIds.length === 0) return [];
      const request = { sessionIds, wait };
      const options = { deadlineMs: wait ? measureTwiceDeadlineMs : measureDeadlineMs, signal };
      const measured = await callUnary(client.measureSessions.bind(client), request, options);
      return measured.sessions.map((activity) => [activity.sessionId, readActivity(activity)] as const);
    });
    // A relay that does not answer, or is of a release that cannot measure or says what we do not know, leaves its calls without.
    const answers = await Promise.allSettled(asked);
    return new Map(answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])));
  }

  close(): void {
    for (const relay of this.#relays.values()) this.#drop(relay);
  }

  #ranked(): string[] {
    const { leases, configured, region } = this.#options;
    return rankRelays(leases(), configured, region, this.#pending, Math.random);
  }

  /** The relay may have opened what we did not hear of. */
  #closeUnheard({ client, address }: Relay, sessionId: string, { code }: SidestreamError): void {
    if (code !== 'deadline-exceeded' && code !== 'cancelled') return;
    callUnary(client.closeSession.bind(client), { sessionId }, { deadlineMs: relayDeadlineMs }).catch(
      (error: unknown) => {
        this.#options.log.debug({ err: error, relay: address }, 'an unanswered session could not be closed');
      },
    );
  }

  #relay(address: string): Relay {
    const known = this.#relays.get(address);
    if (known) return known;
    const client = new MediaRelayServiceClient(address, this.#options.credentials(), { 'grpc.enable_channelz': 0 });
    const relay: Relay = { address, client, sessions: new Map(), closing: new AbortController(), reconciling: false };
    this.#relays.set(address, relay);
    void this.#watch(relay);
    return relay;
  }

  #drop(relay: Relay): void {
    relay.closing.abort();
    relay.client.close();
    this.#relays.delete(relay.address);
  }

  /** Hears of media that died by itself. A stream that breaks is opened again: calls do not depend on it. */
  async #watch(relay: Relay): Promise<void> {
    const { client, sessions, closing, address } = relay;
    while (!closing.signal.aborted) {
      await new Promise<void>((resolve) => {
        const stream = client.watch({});
        const cancel = () => stream.cancel();
        closing.signal.addEventListener('abort', cancel, { once: true });
        // The headers say that the watch has begun; what was lost before it, the relay's list tells.
        stream.on('metadata', () => void this.#reconcile(relay));
        stream.on('data', ({ event }) => {
          if (event === undefined) return;
          const session = sessions.get(event.value.sessionId);
          if (event.$case === 'fork') tell(session?.forks.get(event.value.forkId), event.value);
          else if (event.$case === 'silent') session?.watcher.onSilent(event.value.seconds);
          else session?.watcher.onLost(`relay ${address}: ${event.value.reason}`);
        });
        const done = () => {
          closing.signal.removeEventListener('abort', cancel);
          resolve();
        };
        stream.on('error', done);
        stream.on('end', done);
      });
      await pause(watchRetryMs, closing.signal);
    }
  }

  /** The calls that the relay has lost without a word, by its restart, are told so: those that it twice does not list. */
  async #reconcile(relay: Relay): Promise<void> {
    if (relay.reconciling) return;
    relay.reconciling = true;
    try {
      const suspects = await this.#unlisted(relay);
      if (suspects.size === 0) return;
      await pause(confirmMs, relay.closing.signal);
      for (const [id, session] of await this.#unlisted(relay)) {
        if (suspects.get(id) === session) session.watcher.onLost(`relay ${relay.address}: relay-restarted`);
      }
    } catch (error) {
      // Media goes on without the process that steers it, so a relay that does not answer has lost nothing yet.
      this.#options.log.debug(
        { err: error, relay: relay.address },
        'a media relay could not be asked for its sessions',
      );
    } finally {
      relay.reconciling = false;
    }
  }

  /** Our sessions that were open before the relay was asked for its list, and are not in it. */
  async #unlisted({ client, sessions }: Relay): Promise<Map<string, Session>> {
    const ours = new Map([...sessions].filter(([, { open }]) => open));
    if (ours.size === 0) return ours;
    const { sessions: listed } = await callUnary(client.listSessions.bind(client), {}, { deadlineMs: relayDeadlineMs });
    for (const { sessionId } of listed) ours.delete(sessionId);
    // Those that were closed meanwhile are nobody's any more.
    for (const [id, session] of ours) if (sessions.get(id) !== session) ours.delete(id);
    return ours;
  }
}

function tell(listener: ForkListener | undefined, { condition, lastedMs }: ForkChanged): void {
  const known = readCondition(condition);
  if (known !== undefined) listener?.(known, Number(lastedMs));
}

/** A relay that says nothing is a relay that is not there; and whoever reads the refusal is told which one. */
function named(address: string, error: SidestreamError): SidestreamError {
  if (error.code === 'deadline-exceeded') {
    return new SidestreamError('relay-unavailable', `media relay ${address} does not answer`, { cause: error });
  }
  if (error.code !== 'relay-unavailable' && error.code !== 'not-admitted') return error;
  return new SidestreamError(error.code, `media relay ${address}: ${error.message}`, { cause: error });
}
