// RFC 3711 §3.3.1: a sequence number that wraps counts the rollover counter up, at rtpengine and at the recorder alike. A disagreement
// makes every packet after it unreadable.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { comparePackets, type PartyCall } from '@sidestream/simulators';
import { runCli } from './run-cli.js';
import { Stage, type StageCall } from './stage.js';

const firstSequence = 65_000;
/** So many packets after the first one the sequence number is 0 again. */
const untilWrap = 0x1_0000 - firstSequence;

async function speaksPast(call: StageCall, packets: number): Promise<void> {
  const all = (parties: readonly PartyCall[]) => parties.every(({ sent }) => sent.length > packets);
  await eventually(() => all([call.customer, call.seller]), `${packets} packets are said`, packets * 20 + 10_000);
}

test('streams that start at sequence number 65,000 and run past the wrap decrypt to the end', async (t) => {
  const stage = await Stage.start(t, { customer: { firstSequence }, seller: { firstSequence } });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await speaksPast(call, untilWrap + 100);
  await call.customer.hangUp();
  const hungUpAt = Date.now();
  const [session] = laboratory.recorder.sessions;
  assert.ok(session);
  await session.ended;
  for (const stream of session.streams) {
    const { sent } = stream.label === 'inbound' ? call.customer : call.seller;
    assert.equal(sent[0]?.sequenceNumber, firstSequence);
    assert.ok(
      stream.packets.some(({ sequenceNumber }) => sequenceNumber < 0x8000),
      `${stream.label} went past the wrap`,
    );
    assert.ok(
      stream.packets.some(({ sequenceNumber }) => sequenceNumber > 0x8000),
      `${stream.label} began before it`,
    );
    const { lost, changed, unknown } = comparePackets(sent, stream.packets, { until: hungUpAt });
    assert.deepEqual({ lost, changed, unknown }, { lost: 0, changed: 0, unknown: 0 }, stream.label);
    assert.equal(stream.statistics.authFailures, 0, stream.label);
  }
  assert.deepEqual(session.findings, []);
  await stage.nothingIsLeft();
});

test('a recording that is paused before the wrap and resumed after it decrypts to the end, with not a packet meanwhile', async (t) => {
  const stage = await Stage.start(t, { customer: { firstSequence }, seller: { firstSequence } });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  const id = laboratory.bodies('callStarted')[0]?.callId ?? '';
  const act = async (action: string) => {
    const { code, stderr } = await runCli(['calls', action, id, '--config', laboratory.configFile], {
      timeoutMs: 30_000,
    });
    assert.equal(code, 0, stderr);
  };
  const [session] = laboratory.recorder.sessions;
  assert.ok(session);
  await eventually(() => session.streams.every(({ packets }) => packets.length > 50), 'both are recorded');
  await act('pause');
  const pausedAt = Date.now();
  const datagrams = session.streams.map(({ statistics }) => statistics.datagrams);
  await speaksPast(call, untilWrap + 50);
  assert.deepEqual(
    session.streams.map(({ statistics }) => statistics.datagrams),
    datagrams,
  );
  await act('resume');
  const resumedAt = Date.now();
  await stage.talk(call, 100);
  await call.customer.hangUp();
  const hungUpAt = Date.now();
  await session.ended;
  for (const stream of session.streams) {
    const { sent } = stream.label === 'inbound' ? call.customer : call.seller;
    assert.ok(stream.packets.every(({ sequenceNumber }) => sequenceNumber !== 0xffff && sequenceNumber !== 0));
    const after = sent.filter(({ sentAt }) => sentAt > resumedAt && sentAt <= hungUpAt);
    assert.ok(after[0] !== undefined && after[0].sequenceNumber < 0x8000, 'it is resumed past the wrap');
    const resumed = stream.packets.filter(({ receivedAt }) => receivedAt > pausedAt);
    const { lost, changed, unknown } = comparePackets(sent, resumed, { from: resumedAt, until: hungUpAt });
    assert.deepEqual({ lost, changed, unknown }, { lost: 0, changed: 0, unknown: 0 }, stream.label);
    assert.equal(stream.statistics.authFailures, 0, stream.label);
  }
  assert.deepEqual(session.findings, []);
  await stage.nothingIsLeft();
});
