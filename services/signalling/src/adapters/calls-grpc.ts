// The gRPC face of the live calls: translates requests and answers, decides nothing.
import type { Call, CallsServiceServer, Party, Voice, WatchRequest, WatchResponse } from '@sidestream/proto/calls/v1';
import { type UnaryHandlers, watchHandler } from '@sidestream/service';
import type { ActivitySource, CallActivity, PacketRates } from '../domain/call-activity.js';
import type { CallDesk } from '../domain/call-desk.js';
import type { CallView } from '../domain/call-plan.js';
import type { CallId } from '../domain/identifiers.js';
import type { Identity, Party as Side } from '../domain/parties.js';
import type { CallFacts } from '../domain/ports.js';
import type { Missing } from '../domain/recording-assurance.js';
import { recordingOf } from '../domain/recording-forks.js';
import type { CallFeed } from './call-feed.js';
import { wireDecision, wireDirection } from './events.js';
import { type PolicyAnswersOptions, policyAnswers } from './policy-answers.js';
import type { MeasuredRecorder } from './recorder-metrics.js';

const maxWatchers = 64;
/** A burst of ends, when a drain is over, is some thousands of events. */
const maxBehind = 10_000;
/** Calls of a list that are measured; each of the others can be looked at by itself. */
const maxMeasured = 100;

const nothingMeasured: CallActivity = { received: new Map(), copied: new Map() };

export interface CallsServiceOptions {
  readonly desk: CallDesk;
  readonly feed: CallFeed;
  readonly handlers: UnaryHandlers;
  readonly instance: string;
  /** How the recorders are now. */
  readonly recorders: () => readonly MeasuredRecorder[];
  readonly regionOf: (tenant: string) => string;
  readonly policies: PolicyAnswersOptions['policies'];
  /** What of the call's recording is missing now; undefined while nothing is. */
  readonly missingOf: (call: CallId) => Missing | undefined;
  /** How the live calls' voices flow. */
  readonly activity: ActivitySource;
  /** Ends the watches. */
  readonly shutdown: AbortSignal;
}

/** Makes the implementation for the server. */
export function callsService(options: CallsServiceOptions): CallsServiceServer {
  const { desk, feed, handlers, instance, recorders, regionOf, missingOf, activity: source, shutdown } = options;
  const writeLive = (view: CallView, activity?: CallActivity) =>
    writeCall(view, instance, missingOf(view.facts.callId), activity);
  const write = (view: CallView, activity?: CallActivity) => ({ call: writeLive(view, activity) });
  return {
    listCalls: handlers.handle('ListCalls', async ({ tenant, activity, countOnly }, signal) => {
      if (countOnly) return { instance, draining: desk.draining, calls: [], live: desk.list(tenant).length };
      const ids = activity ? desk.list(tenant).map(({ facts }) => facts.callId) : [];
      const measured = await source.measure(ids.slice(0, maxMeasured), false, signal);
      // As they are now, after the measurement.
      const calls = desk.list(tenant).map((view) => writeLive(view, measured.get(view.facts.callId)));
      return { instance, draining: desk.draining, calls, live: calls.length };
    }),
    getCall: handlers.handle('GetCall', async ({ callId, activity }, signal) => {
      const { facts } = desk.get(callId);
      const measured = await source.measure(activity ? [facts.callId] : [], true, signal);
      return write(desk.get(callId), measured.get(facts.callId));
    }),
    endCall: handlers.handle('EndCall', async ({ callId, reason }, signal) => {
      await desk.end(callId, reason, signal);
      return {};
    }),
    startRecording: handlers.handle('StartRecording', async ({ callId }) => write(desk.startRecording(callId))),
    pauseRecording: handlers.handle('PauseRecording', async ({ callId }, signal) =>
      write(await desk.pauseRecording(callId, signal)),
    ),
    resumeRecording: handlers.handle('ResumeRecording', async ({ callId }, signal) =>
      write(await desk.resumeRecording(callId, signal)),
    ),
    stopRecording: handlers.handle('StopRecording', async ({ callId }, signal) =>
      write(await desk.stopRecording(callId, signal)),
    ),
    watch: watchHandler<WatchRequest, WatchResponse>({
      maxWatchers,
      maxBehind,
      subscribe: (send) => feed.watch((event) => send({ event })),
      shutdown,
    }),
    drain: handlers.handle('Drain', async ({ undo }) => {
      desk.drain(undo);
      return { instance, draining: desk.draining, calls: desk.calls };
    }),
    listRecorders: handlers.handle('ListRecorders', async ({ tenant }) => ({
      instance,
      recorders: recorders()
        .filter((one) => tenant === '' || one.tenant === tenant)
        .map(({ phase, ...one }) => ({ ...one, region: regionOf(one.tenant), breaker: phase })),
    })),
    ...policyAnswers(options),
  };
}

function writeCall(
  { facts, phase, answeredAt, recordings }: CallView,
  instance: string,
  missing: Missing | undefined,
  { received, copied }: CallActivity = nothingMeasured,
): Call {
  const { callId, tenant, trunk, startedAt } = facts;
  return {
    callId,
    instance,
    tenant,
    trunk,
    phase,
    startedAt,
    answeredAt,
    ...writeFacts(facts),
    recordings: recordings.map(({ pausedBy, ...recording }) => ({
      ...recording,
      pausedBy: [...pausedBy],
      voices: writeVoices(copiedOf(recording.recordingId, copied)),
    })),
    voices: writeVoices(received),
    missing,
  };
}

/** What leaves for the recorder on the recording's forks: on one of them, while those before it are stopped. */
function copiedOf(recordingId: string, copied: CallActivity['copied']): PacketRates {
  const forks = [...copied].filter(([fork]) => recordingOf(fork) === recordingId).flatMap(([, rates]) => [...rates]);
  const sum = new Map<Side, number>();
  for (const [party, rate] of forks) sum.set(party, (sum.get(party) ?? 0) + rate);
  return sum;
}

function writeVoices(rates: PacketRates): Voice[] {
  return [...rates].map(([party, rate]) => ({ party, packetsPerSecond: Math.round(rate * 10) / 10 }));
}

/** What is told of a call's parties, and of what was decided. */
export function writeFacts(facts: CallFacts) {
  const { direction, parties, decision } = facts;
  return {
    direction: wireDirection[direction],
    calling: writeParty(parties.calling),
    called: writeParty(parties.called),
    seller: decision.seller?.id ?? '',
    decision: wireDecision(facts),
  };
}

/** Of parties' names, which peers may make as long as their messages. */
const maxPartyChars = 256;

function writeParty({ uri, name }: Identity): Party {
  return { uri: uri.slice(0, maxPartyChars), name: name.slice(0, maxPartyChars) };
}
