// The gRPC face of the relay: translates requests and answers, decides nothing.
import { type handleServerStreamingCall, Metadata, status } from '@grpc/grpc-js';
import type {
  MediaRelayServiceServer,
  WatchRequest,
  WatchResponse,
  ForkStream as WireStream,
} from '@sidestream/proto/media/v1';
import type { UnaryHandlers } from '@sidestream/service';
import type { ForkStream, PartyMedia } from '../domain/ports.js';
import type { Relay } from '../domain/relay.js';
import { readId, readParties, readParty, readSdp, writeParty } from './requests.js';

/** Signalling instances of a cell that may watch at the same time. */
const maxWatchers = 256;
/** Losses that a slow watcher may be behind; a relay can lose all its sessions at once. */
const maxBehind = 10_000;

/** Makes the implementation for the server. `shutdown` ends the watches. */
export function mediaRelayService(
  relay: Relay,
  handlers: UnaryHandlers,
  shutdown: AbortSignal,
): MediaRelayServiceServer {
  return {
    openSession: handlers.handle('OpenSession', async ({ sessionId, offerer, sdp }, signal) => ({
      sdp: await relay.openSession(session(sessionId), readParty('offerer', offerer), readSdp(sdp), signal),
    })),
    updateSession: handlers.handle('UpdateSession', async ({ sessionId, offerer, sdp }, signal) => ({
      sdp: await relay.updateSession(session(sessionId), readParty('offerer', offerer), readSdp(sdp), signal),
    })),
    answerSession: handlers.handle('AnswerSession', async ({ sessionId, answerer, sdp }, signal) => ({
      sdp: await relay.answerSession(session(sessionId), readParty('answerer', answerer), readSdp(sdp), signal),
    })),
    closeSession: handlers.handle('CloseSession', async ({ sessionId }) => {
      const media = await relay.closeSession(session(sessionId));
      return { found: media !== undefined, media: (media ?? []).map(writeMedia) };
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
    watch: watchHandler(relay, shutdown),
  };
}

function watchHandler(relay: Relay, shutdown: AbortSignal): handleServerStreamingCall<WatchRequest, WatchResponse> {
  let watchers = 0;
  return (call) => {
    const refuse = (code: status, details: string) =>
      call.destroy(Object.assign(new Error(details), { code, details }));
    if (watchers >= maxWatchers) return void refuse(status.RESOURCE_EXHAUSTED, 'too many watchers');
    watchers += 1;
    let behind = 0;
    const end = () => call.end();
    const stopListening = relay.onLost(({ session: sessionId, reason }) => {
      if (behind >= maxBehind) return void refuse(status.RESOURCE_EXHAUSTED, 'the watcher does not keep up');
      behind += 1;
      call.write({ event: { $case: 'lost', value: { sessionId, reason } } }, () => {
        behind -= 1;
      });
    });
    shutdown.addEventListener('abort', end, { once: true });
    call.once('close', () => {
      watchers -= 1;
      stopListening();
      shutdown.removeEventListener('abort', end);
    });
    // The headers tell the client that it is listened for from now on.
    call.sendMetadata(new Metadata());
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

function writeMedia({ party, packets, bytes }: PartyMedia) {
  return { party: writeParty(party), packets: BigInt(packets), bytes: BigInt(bytes) };
}
