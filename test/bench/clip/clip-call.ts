// One call of `bench clip` between parties that speak from their own 200 on, and how much of it no recorder has.
import { eventually } from '@sidestream/peers';
import { comparePackets, type PartyCall, type RecordedStream, type RecorderSimulator } from '@sidestream/simulators';
import type { BehaviourStage } from '../../e2e/behaviour/behaviour-stage.js';
import type { Lane } from '../../e2e/behaviour/lane.js';

const packetMs = 20;
const setUpMs = 10_000;
/** More than a recovery may take. */
const recoveryMs = 15_000;
/** Recorded packets of each voice before the call ends. */
const recordedPackets = 40;

/** Milliseconds of audio missing at the start: of the party that lost more, packets sent from its own 200 on, 20 ms each. */
export async function measureClip(stage: BehaviourStage, lane: Lane): Promise<number> {
  return withCall(stage, lane, async (call, hangUp) => {
    const recorded = () => [...lane.first.sessions, ...lane.second.sessions].filter(({ streams }) => heard(streams));
    await eventually(() => recorded().length > 0, 'the call is recorded', setUpMs);
    const hungUpAt = await hangUp();
    const [session] = recorded();
    await session?.ended;
    const missing = (session?.streams ?? []).map((stream) => {
      const party = stream.index === 0 ? call.customer : call.seller;
      // From the very first packet: whoever sends it has sent or received its 200.
      return comparePackets(party.sent, stream.packets, { from: 0, until: hungUpAt }).lost * packetMs;
    });
    return Math.max(...missing);
  });
}

/**
 * Milliseconds between the last packet at the first recorder and the first of either voice at the next, whichever is later.
 * @throws Error that says why there is none, where the recording does not go on
 */
export async function measureGap(stage: BehaviourStage, lane: Lane): Promise<number> {
  return withCall(stage, lane, async (_call, hangUp) => {
    const ended = () => stage.events(lane, 'recordingEnded')[0]?.termination?.reason;
    const next = () => heard(streamsOf(lane.second));
    await eventually(() => next() || ended() !== undefined, 'the recording goes on or ends', recoveryMs);
    if (!next()) throw new Error(`the recording ended instead of going on: ${ended()}`);
    await hangUp();
    const last = Math.max(...streamsOf(lane.first).map(({ statistics }) => statistics.lastPacketAt ?? 0));
    const again = Math.max(...streamsOf(lane.second).map(({ statistics }) => statistics.firstPacketAt ?? 0));
    return again - last;
  });
}

interface Call {
  readonly customer: PartyCall;
  readonly seller: PartyCall;
}

async function withCall<T>(
  stage: BehaviourStage,
  lane: Lane,
  work: (call: Call, hangUp: () => Promise<number>) => Promise<T>,
): Promise<T> {
  const arriving = new Promise<PartyCall>((resolve) => lane.seller.once('call', resolve));
  const customer = await lane.customer.call(lane.uri(stage.laboratory.sipAddress('udp')), { answerTimeoutMs: setUpMs });
  try {
    await customer.answered;
    const seller = await arriving;
    return await work({ customer, seller }, async () => {
      const hungUpAt = Date.now();
      await customer.hangUp();
      await seller.ended;
      return hungUpAt;
    });
  } finally {
    await customer.hangUp();
  }
}

function streamsOf({ sessions }: RecorderSimulator): RecordedStream[] {
  return sessions.flatMap(({ streams }) => streams);
}

function heard(streams: readonly RecordedStream[]): boolean {
  return streams.length === 2 && streams.every(({ statistics }) => statistics.received >= recordedPackets);
}
