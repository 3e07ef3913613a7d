// What happened to calls and recordings, told four ways from one place: event, metric, log line, KV. The termination is the same value
// in all of them. No key, no SDP.
import { decisionReasons } from '@sidestream/policy';
import { type CallAnswered, Direction as WireDirection } from '@sidestream/proto/events/v1';
import {
  callSpan,
  type EventBody,
  fromZero,
  type KvWriter,
  type Logger,
  RateLimit,
  TracedHistogram,
} from '@sidestream/service';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Direction, Party } from '../domain/parties.js';
import type {
  CallEvents,
  CallFacts,
  CallRefusal,
  CallTimes,
  RecorderDialog,
  RecordingFacts,
  RecordingTimes,
} from '../domain/ports.js';
import { type Missing, missingReasons } from '../domain/recording-assurance.js';
import { strangerReasons, trunkReasons } from '../domain/refusal-reasons.js';
import { resultLabel, type Termination, terminated, terminationReasons } from '../domain/termination.js';
import type { ToldParties } from './told-parties.js';

export interface EventSinks {
  readonly publisher: { publish(body: EventBody, time?: Date): void };
  readonly kv: Pick<KvWriter, 'put' | 'delete'>;
  readonly metrics: Registry;
  readonly log: Logger;
  /** Of the configuration: tenants that are recorded, and trunks. */
  readonly tenants: readonly string[];
  readonly trunks: readonly string[];
  readonly parties: Pick<ToldParties, 'logged'>;
}

export const wireDirection: Readonly<Record<Direction, WireDirection>> = {
  inbound: WireDirection.INBOUND,
  outbound: WireDirection.OUTBOUND,
};

/** The label of calls whose trunk is not known. */
const noTrunk = 'none';
/** Log lines of refused calls for each reason and trunk. */
const refusalLines = { perSecond: 1, burst: 20 };

export class EventReporter implements CallEvents {
  readonly #sinks: EventSinks;
  readonly #calls: Gauge;
  readonly #recordings: Gauge;
  readonly #callEnds: Counter<'result' | 'reason'>;
  readonly #recordingEnds: Counter<'result' | 'reason'>;
  readonly #refusals: Counter<'reason' | 'trunk'>;
  readonly #refusalLines: RateLimit;
  readonly #decisions: Counter<'record' | 'reason'>;
  readonly #startDelay: TracedHistogram<'tenant'>;
  readonly #postDialDelay: TracedHistogram;
  readonly #gaps: Histogram<'tenant' | 'reason'>;
  readonly #missing: Counter<'tenant' | 'reason'>;

  constructor(sinks: EventSinks) {
    this.#sinks = sinks;
    const registers = [sinks.metrics];
    const ends = ['result', 'reason'] as const;
    this.#calls = new Gauge({
      name: 'sidestream_calls_active',
      help: 'Calls that have begun and not ended.',
      registers,
    });
    this.#recordings = new Gauge({
      name: 'sidestream_recordings_active',
      help: 'Recordings that a recorder has taken and that have not ended; those paused or looking for another one included.',
      registers,
    });
    this.#callEnds = new Counter({
      name: 'sidestream_call_terminations_total',
      help: 'Ended calls by result and reason.',
      labelNames: ends,
      registers,
    });
    this.#recordingEnds = new Counter({
      name: 'sidestream_recording_terminations_total',
      help: 'Ended or failed recordings by result and reason.',
      labelNames: ends,
      registers,
    });
    this.#refusals = new Counter({
      name: 'sidestream_calls_refused_total',
      help: 'New calls turned away, by reason and by the trunk that they came from.',
      labelNames: ['reason', 'trunk'],
      registers,
    });
    this.#refusalLines = new RateLimit({ ...refusalLines, clock: () => performance.now(), maxKeys: 1_000 });
    this.#decisions = new Counter({
      name: 'sidestream_decisions_total',
      help: 'Recording decisions by outcome and reason.',
      labelNames: ['record', 'reason'],
      registers,
    });
    this.#startDelay = new TracedHistogram({
      name: 'sidestream_recording_start_delay_seconds',
      help: 'From the wish to record (the answer, the ringing, a transfer, an operator) until the relay copies what comes.',
      labelNames: ['tenant'],
      buckets: [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5],
      registers,
    });
    this.#gaps = new Histogram({
      name: 'sidestream_recording_gap_seconds',
      help: 'Gaps in recordings after a recorder was lost, until media went to one again or the recording ended.',
      labelNames: ['tenant', 'reason'],
      buckets: [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1_800],
      registers,
    });
    this.#missing = new Counter({
      name: 'sidestream_recordings_missing_total',
      help: 'Live calls that should have been recorded and were not for some seconds, by reason.',
      labelNames: ['tenant', 'reason'],
      registers,
    });
    this.#postDialDelay = new TracedHistogram({
      name: 'sidestream_post_dial_delay_seconds',
      help: "What the path through Sidestream adds to the far side's ringing.",
      buckets: [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2],
      registers,
    });
    this.#startFromZero(sinks);
  }

  /** What alerts count is there before it happens. */
  #startFromZero({ tenants, trunks }: EventSinks): void {
    for (const reason of terminationReasons) this.#callEnds.inc(labels(terminated(reason)), 0);
    fromZero(this.#refusals, { trunk: trunks, reason: trunkReasons });
    fromZero(this.#refusals, { trunk: [noTrunk], reason: strangerReasons });
    for (const record of ['true', 'false'] as const)
      fromZero(this.#decisions, { record: [record], reason: decisionReasons[record] });
    fromZero(this.#missing, { tenant: tenants, reason: missingReasons });
    for (const tenant of tenants) this.#startDelay.zero({ tenant });
  }

  callRefused({ status, reason, text, trunk = noTrunk, source }: CallRefusal): void {
    this.#refusals.inc({ reason, trunk });
    // Under a flood the counter is what is left: a line each would be work that helps nobody.
    if (!this.#refusalLines.take(`${reason} ${trunk}`)) return;
    this.#sinks.log.warn({ status, reason, trunk, source, why: text }, 'a call is refused');
  }

  callStarted(call: CallFacts): void {
    const { decision } = call;
    this.#calls.inc();
    this.#decisions.inc({ record: String(decision.record), reason: decision.reason });
    const { log, parties } = this.#sinks;
    const who = parties.logged(call.parties);
    log.info({ ...about(call), trunk: call.trunk, ...who, decision: loggedDecision(call) }, 'call started');
    this.#sinks.publisher.publish({
      $case: 'callStarted',
      value: {
        ...identity(call),
        direction: wireDirection[call.direction],
        trunk: call.trunk,
        seller: decision.seller?.id ?? '',
        ...wireParties(call),
        decision: wireDecision(call),
      },
    });
  }

  callAnswered(
    call: CallFacts,
    { answerDelayMs, postDialDelayMs }: { answerDelayMs: number; postDialDelayMs: number },
  ): void {
    this.#postDialDelay.record({}, Math.max(0, postDialDelayMs) / 1000, callSpan(call.callId));
    const delays = { answerDelayMs: whole(answerDelayMs), postDialDelayMs: whole(postDialDelayMs) };
    const { recordingCallId } = call;
    this.#sinks.log.info({ ...about(call), ...delays, recordingCallId }, 'call answered');
    this.#sinks.publisher.publish({
      $case: 'callAnswered',
      value: {
        ...identity(call),
        direction: wireDirection[call.direction],
        seller: call.decision.seller?.id ?? '',
        decision: wireDecision(call),
        recordingCallId,
        ...delays,
      },
    });
  }

  callTransferred(call: CallFacts, party: Party): void {
    const { log, parties } = this.#sinks;
    const who = parties.logged(call.parties);
    log.info({ ...about(call), party, ...who, decision: loggedDecision(call) }, 'call transferred');
    this.#sinks.publisher.publish({
      $case: 'callTransferred',
      value: {
        ...identity(call),
        direction: wireDirection[call.direction],
        party,
        seller: call.decision.seller?.id ?? '',
        ...wireParties(call),
        decision: wireDecision(call),
        recordingCallId: call.recordingCallId,
      },
    });
  }

  callEnded(call: CallFacts, termination: Termination, times: CallTimes): void {
    const durationMs = whole(times.durationMs);
    this.#calls.dec();
    this.#callEnds.inc(labels(termination));
    this.#sinks.log.info({ ...about(call), termination, durationMs }, 'call ended');
    this.#sinks.publisher.publish(
      {
        $case: 'callEnded',
        value: { ...identity(call), termination, durationMs },
      },
      times.endedAt,
    );
  }

  recordingStarted(recording: RecordingFacts, dialog: RecorderDialog, startDelayMs: number): void {
    const { call } = recording;
    this.#recordings.inc();
    this.#startDelay.record({ tenant: call.tenant }, startDelayMs / 1000, callSpan(call.callId));
    const at = {
      recorderHost: dialog.host,
      tlsVersion: dialog.tlsVersion,
      clientCertificateSubject: dialog.clientCertificateSubject,
      startDelayMs: whole(startDelayMs),
    };
    this.#sinks.log.info({ ...aboutRecording(recording), ...at }, 'recording started');
    this.#sinks.publisher.publish({
      $case: 'recordingStarted',
      value: {
        ...recordingIdentity(recording),
        tenant: call.tenant,
        seller: call.decision.seller?.id ?? '',
        recorderCallId: call.recordingCallId,
        ...at,
      },
    });
  }

  recordingPaused(recording: RecordingFacts, reason: string): void {
    this.#sinks.log.info({ ...aboutRecording(recording), reason }, 'recording paused');
    this.#sinks.publisher.publish({
      $case: 'recordingPaused',
      value: { ...recordingIdentity(recording), reason },
    });
  }

  recordingResumed(recording: RecordingFacts): void {
    this.#sinks.log.info(aboutRecording(recording), 'recording resumed');
    this.#sinks.publisher.publish({ $case: 'recordingResumed', value: recordingIdentity(recording) });
  }

  recordingRecovered(recording: RecordingFacts, { host }: RecorderDialog, lost: Termination, gapMs: number): void {
    const at = { recorderHost: host, gapMs: whole(gapMs) };
    this.#gaps.observe({ tenant: recording.call.tenant, reason: lost.reason }, gapMs / 1000);
    this.#sinks.log.warn({ ...aboutRecording(recording), ...at, lost }, 'recording recovered');
    this.#sinks.publisher.publish({
      $case: 'recordingRecovered',
      value: {
        ...recordingIdentity(recording),
        recorderCallId: recording.call.recordingCallId,
        reason: lost.reason,
        ...at,
      },
    });
  }

  recordingDelayed(recording: RecordingFacts, recorder: string, { reason, detail }: Termination): void {
    this.#sinks.log.warn({ ...aboutRecording(recording), recorder, reason, detail }, 'recording delayed');
    this.#sinks.publisher.publish({
      $case: 'recordingDelayed',
      value: { ...recordingIdentity(recording), recorderHost: recorder, reason, detail },
    });
  }

  recordingFailed(recording: RecordingFacts, recorder: string, termination: Termination): void {
    this.#recordingEnds.inc(labels(termination));
    this.#sinks.log.warn({ ...aboutRecording(recording), recorder, termination }, 'recording did not start');
    this.#sinks.publisher.publish({
      $case: 'recordingFailed',
      value: {
        ...recordingIdentity(recording),
        recorderHost: recorder,
        recorderCallId: recording.call.recordingCallId,
        termination,
      },
    });
    this.#sinks.kv.delete('recordings', recording.recordingId);
  }

  recordingEnded(recording: RecordingFacts, termination: Termination, times: RecordingTimes): void {
    const [durationMs, gapMs] = [whole(times.durationMs), whole(times.gapMs)];
    this.#recordings.dec();
    this.#recordingEnds.inc(labels(termination));
    // What ends while it is lost ended with the loss, so that is the reason of the gap, too.
    if (times.lostMs > 0)
      this.#gaps.observe({ tenant: recording.call.tenant, reason: termination.reason }, times.lostMs / 1000);
    this.#sinks.log.info({ ...aboutRecording(recording), termination, durationMs, gapMs }, 'recording ended');
    this.#sinks.publisher.publish({
      $case: 'recordingEnded',
      value: {
        ...recordingIdentity(recording),
        recorderCallId: recording.call.recordingCallId,
        termination,
        durationMs,
        gapMs,
      },
    });
    this.#sinks.kv.delete('recordings', recording.recordingId);
  }

  recordingMissing(call: CallFacts, { reason, since }: Missing): void {
    this.#missing.inc({ tenant: call.tenant, reason });
    this.#sinks.log.error({ ...about(call), reason, since }, 'a call is not recorded, although it should be');
    this.#sinks.publisher.publish({ $case: 'recordingMissing', value: { ...identity(call), reason, since } });
  }

  recordingFound(call: CallFacts, { reason, since }: Missing): void {
    this.#sinks.log.info({ ...about(call), reason, since }, 'a recording that was missing is there');
    this.#sinks.publisher.publish({ $case: 'recordingFound', value: { ...identity(call), reason, since } });
  }

  recordingState(recording: RecordingFacts, forkId: string, dialog: RecorderDialog): void {
    const { call, recordingId } = recording;
    this.#sinks.kv.put('recordings', recordingId, {
      recordingId,
      callId: call.callId,
      tenant: call.tenant,
      forkId,
      recorder: dialog.host,
      dialog: dialog.state(),
    });
  }
}

function identity(call: CallFacts): { callId: string; tenant: string } {
  return { callId: call.callId, tenant: call.tenant };
}

function wireParties({ parties: { calling, called } }: CallFacts) {
  return { calling: calling.uri, called: called.uri, callingName: calling.name, calledName: called.name };
}

function recordingIdentity({ call, recordingId }: RecordingFacts): { callId: string; recordingId: string } {
  return { callId: call.callId, recordingId };
}

function about(call: CallFacts): object {
  return { call: call.callId, tenant: call.tenant, direction: call.direction };
}

function aboutRecording(recording: RecordingFacts): object {
  return { ...about(recording.call), recording: recording.recordingId };
}

export function wireDecision({ decision }: CallFacts): NonNullable<CallAnswered['decision']> {
  const { record, reason, policyRevision, recorders } = decision;
  return { record, reason, policyRevision, recorders: [...recorders] };
}

/** Without the seller's name and URI; without even the id when the seller's side asked for privacy. */
function loggedDecision({ decision, parties }: CallFacts): object {
  const { record, reason, policyRevision, recorders, seller } = decision;
  const id = seller === undefined || parties.seller.anonymous ? {} : { seller: seller.id };
  return { record, reason, policyRevision, recorders, ...id };
}

function labels({ result, reason }: Termination): { result: string; reason: string } {
  return { result: resultLabel(result), reason };
}

function whole(ms: number): number {
  return Math.max(0, Math.round(ms));
}
