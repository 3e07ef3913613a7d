// The gRPC face of the relay: translates requests and answers, decides nothing.
import {
  type ForkMedia,
  type MediaRelayServiceServer,
  type VoiceRate,
  type WatchRequest,
  type WatchResponse,
  type SessionActivity as WireActivity,
  ForkCondition as WireCondition,
  type ForkStream as WireStream,
} from '@sidestream/proto/media/v1';
import { type UnaryHandlers, watchHandler } from '@sidestream/service';
import type { ActivityMeter, PacketRates, SessionActivity } from '../domain/activity-meter.js';
import type { VoiceCount } from '../domain/copy-count.js';
import type { ForkCondition } from '../domain/fork-condition.js';
import type { ForkChange, ForkMonitor } from '../domain/fork-monitor.js';
import type { ForkStream, Party, PartyMedia } from '../domain/ports.js';
import type { Relay } from '../domain/relay.js';
import { readId, readParties, readParty, readSdp, readSessionIds, readTerms, writeParty } from './requests.js';

/** Signalling instances of a cell that may watch at the same time. */
const maxWatchers = 256;
const wireConditions: Readonly<Record<ForkCondition, WireCondition>> = {
  flowing: WireCondition.FLOWING,
  stalled: WireCondition.STALLED,
  'recorder-silent': WireCondition.RECORDER_SILENT,
};
/** Losses that a slow watcher may be behind; a relay can lose all its sessions at once. */
const maxBehind = 10_000;

/** Makes the implementation for the server. `shutdown` ends the watches. */
export function mediaRelayService(
  relay: Relay,
  forks: Pick<ForkMonitor, 'onChange'>,
  meter: Pick<ActivityMeter, 'measure'>,
  handlers: UnaryHandlers,
  shutdown: AbortSignal,
): MediaRelayServiceServer {
  return {
    openSession: handlers.handle('OpenSession', async ({ sessionId, offerer, sdp, terms }, signal) => {
      const [by, own] = [readParty('offerer', offerer), readTerms(terms)];
      return { sdp: await relay.openSession(session(sessionId), by, readSdp(sdp), signal, own) };
    }),
    updateSession: handlers.handle('UpdateSession', async ({ sessionId, offerer, sdp, terms }, signal) => {
      const [by, own] = [readParty('offerer', offerer), readTerms(terms)];
      return { sdp: await relay.updateSession(session(sessionId), by, readSdp(sdp), signal, own) };
    }),
    answerSession: handlers.handle('AnswerSession', async ({ sessionId, answerer, sdp }, signal) => ({
      sdp: await relay.answerSession(session(sessionId), readParty('answerer', answerer), readSdp(sdp), signal),
    })),
    closeSession: handlers.handle('CloseSession', async ({ sessionId }, signal) => {
      const media = await relay.closeSession(session(sessionId), signal);
      const { received = [], copied = [] } = media ?? {};
      return { found: media !== undefined, media: received.map(writeMedia), forks: [...copied].map(writeCopied) };
    }),
    startFork: handlers.handle('StartFork', async ({ sessionId, forkId, parties }, signal) => {
      const streams = await relay.startFork(session(sessionId), fork(forkId), readParties(parties), signal);
      return { streams: streams.map(writeStream) };
    }),
    answerFork: handlers.handle('AnswerFork', async ({ sessionId, forkId, sdp }, signal) => {
      await relay.answerFork(session(sessionId), fork(forkId), readSdp(sdp), signal);
      return {};
    }),
    pauseFork: handlers.handle('PauseFork', async ({ sessionId, forkId }, signal) => {
      await relay.pauseFork(session(sessionId), fork(forkId), signal);
      return {};
    }),
    resumeFork: handlers.handle('ResumeFork', async ({ sessionId, forkId, parties }, signal) => {
      const streams = await relay.resumeFork(session(sessionId), fork(forkId), readParties(parties), signal);
      return { streams: streams.map(writeStream) };
    }),
    stopFork: handlers.handle('StopFork', async ({ sessionId, forkId }, signal) => ({
      found: await relay.stopFork(session(sessionId), fork(forkId), signal),
    })),
    listSessions: handlers.handle('ListSessions', async () => ({
      sessions: relay.sessions().map(({ id, openedAt, forks }) => ({
        sessionId: id,
        openedAt,
        forkIds: [...forks.keys()],
      })),
    })),
    measureSessions: handlers.handle('MeasureSessions', async ({ sessionIds, wait }, signal) => ({
      sessions: (await meter.measure(readSessionIds(sessionIds), wait, signal)).map(writeActivity),
    })),
    watch: watchHandler<WatchRequest, WatchResponse>({
      maxWatchers,
      maxBehind,
      subscribe: (send) => {
        const stops = [
          relay.onLost(({ session: sessionId, reason }) =>
            send({ event: { $case: 'lost', value: { sessionId, reason } } }),
          ),
          relay.onSilent(({ session: sessionId, seconds }) =>
            send({ event: { $case: 'silent', value: { sessionId, seconds } } }),
          ),
          forks.onChange((change) => send({ event: { $case: 'fork', value: writeChange(change) } })),
        ];
        return () => stops.forEach((stop) => void stop());
      },
      shutdown,
    }),
  };
}

function session(id: string): string {
  return readId('session_id', id);
}

function fork(id: string): string {
  return readId('fork_id', id);
}

function writeStream({ party, payloadTypes, ...rest }: ForkStream): WireStream {
  return { ...rest, party: writeParty(party), payloadTypes: [...payloadTypes] };
}

function writeChange({ session: sessionId, fork: forkId, condition, lastedMs }: ForkChange) {
  return { sessionId, forkId, condition: wireConditions[condition], lastedMs: BigInt(lastedMs) };
}

function writeCopied([forkId, counts]: readonly [string, ReadonlyMap<Party, VoiceCount> | undefined]): ForkMedia {
  const voices = [...(counts ?? [])].map(([party, { copied, due }]) => ({
    party: writeParty(party),
    packets: BigInt(copied),
    due: BigInt(due),
  }));
  return { forkId, voices, unknown: counts === undefined };
}

function writeActivity({ session: sessionId, voices, forks }: SessionActivity): WireActivity {
  const written = [...forks].map(([forkId, rates]) => ({ forkId, voices: writeRates(rates) }));
  return { sessionId, voices: writeRates(voices), forks: written };
}

function writeRates(rates: PacketRates): VoiceRate[] {
  return [...rates].map(([party, packetsPerSecond]) => ({ party: writeParty(party), packetsPerSecond }));
}

function writeMedia({ party, packets, bytes }: PartyMedia) {
  return { party: writeParty(party), packets: BigInt(packets), bytes: BigInt(bytes) };
}
