// Makes the call of one row and sees what became of it.
import assert from 'node:assert/strict';
import { eventually } from '@sidestream/peers';
import { comparePackets, type PartyCall, type RecordedStream, type RecorderSession } from '@sidestream/simulators';
import type { BehaviourStage } from './behaviour-stage.js';
import type { Lane } from './lane.js';
import type { Outcome, RecorderName } from './outcome.js';
import type { Row } from './row.js';

/** Packets that both parties speak after the recording is settled: a second and a half. */
const talkPackets = 75;
const settleMs = 15_000;
/** Of these, at a recorder whose codec is another: what is under way, or in the converter, may be missing. */
const convertedPackets = talkPackets - 5;
/** More than anything that is awaited in mid-call may take. */
const eventMs = 45_000;

/** A stretch of recorded audio. */
interface Part {
  readonly recorder: RecorderName;
  readonly session: RecorderSession;
  /** When the first packet of either voice came. */
  readonly from: number;
}

/** A call of a row after its end. */
export interface ObservedCall {
  readonly outcome: Outcome;
  readonly detail: string;
  /** The longest time without one of the voices between two parts; for ever, where a voice is missing in one. */
  readonly gapMs: number;
}

/**
 * Makes the call, asserts what is common to all rows, and tells what became of the recording. The call is over in any case.
 * @throws Error with what the first recorder has said and heard
 */
export async function observeCall(stage: BehaviourStage, row: Row): Promise<ObservedCall> {
  const lane = stage.lane(row);
  try {
    return await callAndObserve(stage, lane, row);
  } catch (error) {
    await Promise.all([...lane.customer.calls, ...lane.seller.calls].map((call) => call.hangUp()));
    throw new Error(`${error instanceof Error ? error.message : String(error)}; the first recorder: ${lane.summary}`, {
      cause: error,
    });
  }
}

async function callAndObserve(stage: BehaviourStage, lane: Lane, row: Row): Promise<ObservedCall> {
  const { customer, seller } = lane;
  const arriving = new Promise<PartyCall>((resolve) => seller.once('call', resolve));
  const uri = lane.uri(stage.laboratory.sipAddress('udp'));
  const placed = await customer.call(uri, { answerTimeoutMs: 15_000 });
  await placed.answered;
  const received = await arriving;

  const has = (...kinds: ('recordingStarted' | 'recordingDelayed')[]) =>
    kinds.some((kind) => stage.events(lane, kind).length > 0);
  const waits = row.outcome.ended === 'recorder-inactive';
  if (!waits)
    await eventually(
      () => has('recordingStarted', 'recordingDelayed'),
      'the recording has started, or each recorder was asked',
      settleMs,
    );
  if (row.until !== undefined) await eventually(() => row.until?.holds(lane) === true, row.until.what, eventMs);
  await talk([placed, received], talkPackets);

  const until = Date.now();
  await received.hangUp();
  await placed.ended;
  const ends = () => [...stage.events(lane, 'recordingEnded'), ...stage.events(lane, 'recordingFailed')];
  await eventually(
    () => stage.events(lane, 'callEnded').length === 1 && ends().length > 0,
    'call and recording have ended',
    settleMs,
  );
  assert.equal(stage.events(lane, 'callEnded')[0]?.termination?.reason, 'hangup');
  const parts = partsOf(lane);
  // A recording that has started has audio and ends, one that has not has failed; once.
  const started = Math.min(1, parts.length);
  assert.equal(stage.events(lane, 'recordingStarted').length, started, 'recordings that have started');
  assert.equal(stage.events(lane, 'recordingEnded').length, started, 'recordings that have ended');
  assert.equal(ends().length, 1);
  assertHeard(placed, received, until);

  const sessions = [...lane.first.sessions, ...lane.second.sessions];
  const met = row.away !== true && (row.certificate ?? 'own') === 'own';
  if (!met) assert.equal(lane.first.sessions.length, 0, 'sessions of a recorder that nobody can trust');
  for (const stream of sessions.flatMap(({ streams }) => streams)) assertSound(stream);
  if (row.untouched === true) assertUntouched(lane);
  else
    assert.equal(
      sessions.length,
      parts.length,
      'a recorder is asked for one session, and asked again only when it is lost',
    );
  const last = parts.at(-1)?.session;
  if (row.converted !== undefined) assertConverted(sessions, [placed, received], row.converted);
  else if (last !== undefined) assertComplete(last, placed, received, until);
  const termination = ends().at(-1)?.termination;
  return {
    outcome: {
      parts: parts.map(({ recorder }) => recorder),
      voices: voicesIn(parts.at(-1)),
      ended: termination?.reason ?? '',
    },
    detail: termination?.detail ?? '',
    gapMs: Math.max(0, ...parts.slice(1).map(({ session }, index) => gapBetween(parts[index]?.session, session))),
  };
}

async function talk(calls: readonly PartyCall[], packets: number): Promise<void> {
  const from = calls.map(({ statistics }) => statistics.received);
  await eventually(
    () => calls.every(({ statistics }, index) => statistics.received >= (from[index] ?? 0) + packets),
    `both hear ${packets} more packets`,
    packets * 20 + settleMs,
  );
}

/** Both parties have heard every packet of the other, from the first that arrived until the end. */
function assertHeard(placed: PartyCall, received: PartyCall, until: number): void {
  for (const [speaker, listener] of [
    [placed, received],
    [received, placed],
  ] as const) {
    assert.equal(listener.statistics.lost, 0, `lost by the ${listener.direction} call`);
    const { lost, changed } = comparePackets(speaker.sent, listener.received, { until });
    assert.deepEqual({ lost, changed }, { lost: 0, changed: 0 }, `of the ${speaker.direction} call`);
  }
}

/** Every packet authenticates, and none is missing between the first and the last. */
function assertSound({ label, statistics }: RecordedStream): void {
  const { inClear, authFailures, lost } = statistics;
  assert.deepEqual({ inClear, authFailures, lost }, { inClear: 0, authFailures: 0, lost: 0 }, `${label} at a recorder`);
}

function assertUntouched({ first }: Lane): void {
  assert.ok(first.sessions.length > 0, 'the first recorder has answered');
  for (const { label, statistics } of first.sessions.flatMap(({ streams }) => streams)) {
    assert.equal(statistics.datagrams, 0, `datagrams of ${label} at the first recorder`);
  }
}

/** Whatever was said since the first packet of this session is in it, unchanged. */
function assertComplete(session: RecorderSession, customer: PartyCall, seller: PartyCall, until: number): void {
  for (const { label, index, packets, statistics } of session.streams) {
    if (statistics.received === 0) continue;
    // The customer's voice is always the first m-line, whatever the recorder calls it.
    const { lost, changed, unknown } = comparePackets((index === 0 ? customer : seller).sent, packets, { until });
    assert.deepEqual({ lost, changed, unknown }, { lost: 0, changed: 0, unknown: 0 }, label);
  }
}

/** Both voices are recorded, and every packet is of the type that the recorder has answered. */
function assertConverted(sessions: readonly RecorderSession[], calls: readonly PartyCall[], type: number): void {
  const spoken = calls.flatMap(({ sent }) => sent.map(({ payloadType }) => payloadType));
  assert.equal(spoken.includes(type), false, 'a party speaks the type itself');
  const streams = sessions.flatMap((session) => session.streams);
  assert.equal(streams.length, 2);
  for (const { label, packets } of streams) {
    assert.deepEqual([...new Set(packets.map(({ payloadType }) => payloadType))], [type], `types of ${label}`);
    assert.ok(packets.length >= convertedPackets, `${packets.length} packets of ${label}`);
  }
}

/** Milliseconds between the last packet of a voice in one session and its first in the next; the longer of the two voices. */
function gapBetween(one: RecorderSession | undefined, next: RecorderSession): number {
  const voice = (session: RecorderSession | undefined, wanted: number) =>
    session?.streams.find(({ index }) => index === wanted)?.statistics;
  const gaps = [0, 1].map((index) => {
    const [last, first] = [voice(one, index)?.lastPacketAt, voice(next, index)?.firstPacketAt];
    return last === undefined || first === undefined ? Number.POSITIVE_INFINITY : first - last;
  });
  return Math.max(...gaps);
}

function partsOf(lane: Lane): Part[] {
  const part = (recorder: RecorderName) => (session: RecorderSession) => {
    const times = session.streams.flatMap(({ statistics: { firstPacketAt } }) => firstPacketAt ?? []);
    return times.length === 0 ? [] : [{ recorder, session, from: Math.min(...times) }];
  };
  const all = [...lane.first.sessions.flatMap(part('first')), ...lane.second.sessions.flatMap(part('second'))];
  return all.sort((one, other) => one.from - other.from);
}

function voicesIn(part: Part | undefined): 0 | 1 | 2 {
  const voices = part?.session.streams.filter(({ statistics }) => statistics.received > 0).length ?? 0;
  return voices >= 2 ? 2 : voices === 1 ? 1 : 0;
}
