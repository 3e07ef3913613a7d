// The state of one media session and its forks as plain data: what may be asked of it now, and what it becomes.
// Pure: no engine, no clock, no queue.
import { SidestreamError } from '@sidestream/service';
import type { ForkOffer, Party, VoiceCodec } from './ports.js';

/**
 * offered: the engine offered ports and keys, the recorder's answer is awaited. answered: media flows. paused: nothing
 * flows. doubtful: a stop was not confirmed, something may flow; only a stop (or the session's end) settles it.
 */
export type ForkPhase = 'offered' | 'answered' | 'paused' | 'doubtful';

export interface Fork {
  readonly parties: readonly Party[];
  readonly phase: ForkPhase;
  readonly refusals: ForkOffer['refusals'];
  /** What each stream may carry, as the engine offered it last. */
  readonly payloadTypes: readonly (readonly number[])[];
}

export interface MediaSession {
  readonly id: string;
  readonly openedAt: Date;
  /** Who made the latest offer; undefined until the engine took the first one. */
  readonly offerer?: Party;
  /** Whether an offer was ever answered, or its answer presumed, so that the engine knows both parties. */
  readonly answered: boolean;
  readonly forks: ReadonlyMap<string, Fork>;
  /**
   * All forks there ever were, by id: the engine frees a fork's ports only with the session, so they are bounded. The
   * value is what the fork's voices are turned into. Once it is, it stays so: to ask the engine anew what the parties have
   * would let a payload type through that the recorder never negotiated.
   */
  readonly everForked: ReadonlyMap<string, VoiceCodec | undefined>;
}

export type Command =
  | { readonly kind: 'offer' }
  | { readonly kind: 'answer'; readonly by: Party }
  | { readonly kind: 'start-fork' | 'resume-fork'; readonly fork: string; readonly parties: readonly Party[] }
  | { readonly kind: 'answer-fork' | 'pause-fork'; readonly fork: string };

export type SessionEvent =
  | { readonly kind: 'offered'; readonly by: Party }
  | { readonly kind: 'answered' }
  | {
      readonly kind: 'fork-offered';
      readonly fork: string;
      readonly parties: readonly Party[];
      readonly codec: VoiceCodec | undefined;
      readonly offer: ForkOffer;
    }
  | { readonly kind: 'fork-answered' | 'fork-paused' | 'fork-stopped'; readonly fork: string }
  | { readonly kind: 'fork-doubtful'; readonly fork: string; readonly parties: readonly Party[] };

/** Two recorders with some failovers fit; each fork costs two ports and file descriptors per party until the end. */
export const maxForksPerSession = 16;

/** A session that is about to be offered to the engine. */
export function newSession(id: string, openedAt: Date): MediaSession {
  return { id, openedAt, answered: false, forks: new Map(), everForked: new Map() };
}

/**
 * Checks whether a command fits the session's state. An offer always does: a re-INVITE that the far side refused leaves
 * an offer without an answer, and glare (RFC 3261 §14.1) is the signalling's to settle.
 *
 * @throws SidestreamError bad-request, not-found or forks-exhausted, naming what is wrong.
 */
export function permit(session: MediaSession, command: Command): void {
  switch (command.kind) {
    case 'offer':
      return;
    case 'answer':
      if (session.offerer === undefined) throw refuse(session, 'has no offer to answer');
      if (session.offerer === command.by) throw refuse(session, `was offered by the ${command.by}, who cannot answer`);
      return;
    case 'start-fork':
      if (session.offerer === undefined) throw refuse(session, 'cannot be forked before it was offered');
      permitParties(session, command.fork, command.parties);
      if (session.everForked.size >= maxForksPerSession && !session.everForked.has(command.fork))
        throw new SidestreamError(
          'forks-exhausted',
          `session ${session.id} takes no new fork ${command.fork}: it had ${maxForksPerSession} in its life, the most it may`,
        );
      return;
    case 'resume-fork':
      findFork(session, command.fork);
      permitParties(session, command.fork, command.parties);
      return;
    case 'answer-fork': {
      const { phase } = findFork(session, command.fork);
      if (phase === 'paused' || phase === 'doubtful')
        throw refuse(session, `has fork ${command.fork} ${phase}: offer it again before it is answered`);
      return;
    }
    case 'pause-fork':
      findFork(session, command.fork);
      return;
    default:
      exhausted(command);
  }
}

/** The session after something happened to it. An event about a fork that is gone changes nothing. */
export function apply(session: MediaSession, event: SessionEvent): MediaSession {
  switch (event.kind) {
    case 'offered':
      return { ...session, offerer: event.by };
    case 'answered':
      return { ...session, answered: true };
    case 'fork-offered':
      return withFork(session, event.fork, event.codec, {
        parties: event.parties,
        phase: 'offered',
        refusals: event.offer.refusals,
        payloadTypes: event.offer.streams.map(({ payloadTypes }) => payloadTypes),
      });
    case 'fork-doubtful': {
      const fork: Fork = { parties: event.parties, phase: 'doubtful', refusals: [], payloadTypes: [] };
      return withFork(session, event.fork, session.everForked.get(event.fork), fork);
    }
    case 'fork-answered':
      return withPhase(session, event.fork, 'answered');
    case 'fork-paused':
      return withPhase(session, event.fork, 'paused');
    case 'fork-stopped': {
      const forks = new Map(session.forks);
      forks.delete(event.fork);
      return { ...session, forks };
    }
    default:
      return exhausted(event);
  }
}

/** @throws SidestreamError not-found */
export function findFork(session: MediaSession, fork: string): Fork {
  const found = session.forks.get(fork);
  if (!found) throw new SidestreamError('not-found', `session ${session.id} has no fork ${fork}`);
  return found;
}

function permitParties(session: MediaSession, fork: string, parties: readonly Party[]): void {
  if (parties.length === 0) throw refuse(session, `cannot fork nobody: fork ${fork} names no party`);
  if (new Set(parties).size !== parties.length) throw refuse(session, `cannot fork a party twice in fork ${fork}`);
  const before = session.forks.get(fork)?.parties;
  // A fork offered again in another order would swap the voices under the recorder's labels.
  if (before && before.join() !== parties.join())
    throw refuse(session, `has fork ${fork} of ${before.join(', ')}: its order cannot change`);
}

function withFork(session: MediaSession, id: string, codec: VoiceCodec | undefined, fork: Fork): MediaSession {
  return {
    ...session,
    forks: new Map(session.forks).set(id, fork),
    everForked: new Map(session.everForked).set(id, codec),
  };
}

function withPhase(session: MediaSession, id: string, phase: ForkPhase): MediaSession {
  const fork = session.forks.get(id);
  return fork ? { ...session, forks: new Map(session.forks).set(id, { ...fork, phase }) } : session;
}

function refuse(session: MediaSession, what: string): SidestreamError {
  return new SidestreamError('bad-request', `session ${session.id} ${what}`);
}

function exhausted(value: never): never {
  throw new Error(`unhandled ${JSON.stringify(value)}`);
}
