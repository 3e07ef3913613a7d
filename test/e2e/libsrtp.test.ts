// An independent SRTP implementation reads what rtpengine sent to the recorder, and agrees with the recorder simulator.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, peersRequired } from '@sidestream/peers';
import { findLibsrtp, type LibsrtpResult, parseRtp, type SrtpCapture } from '@sidestream/simulators';
import { Stage } from './stage.js';

test('libsrtp decrypts a captured recording and agrees with the simulator, and with what the parties said', async (t) => {
  const { libsrtp, reason } = await findLibsrtp();
  if (libsrtp === undefined) {
    assert.ok(!peersRequired(), reason);
    t.skip(reason);
    return;
  }
  const captured: SrtpCapture[] = [];
  const stage = await Stage.start(t, { recorder: { onSrtpPacket: (capture) => captured.push(capture) } });
  if (!stage) return;
  const call = await stage.inbound();
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await stage.talk(call, 150);
  await call.customer.hangUp();
  await call.seller.ended;
  const [session] = stage.laboratory.recorder.sessions;
  assert.ok(session);
  await session.ended;

  for (const stream of session.streams) {
    const ours = captured.filter(({ label }) => label === stream.label);
    const key = ours[0]?.key;
    assert.ok(key && ours.length >= 150);
    const theirs: LibsrtpResult[] = await libsrtp.unprotect(
      key,
      ours.map(({ packet }) => packet),
    );
    const packets = theirs.map((result) => {
      assert.ok(Buffer.isBuffer(result), JSON.stringify(result));
      return parseRtp(result);
    });
    assert.deepEqual(
      packets.map((packet) => [packet?.sequenceNumber, packet?.payload.toString('hex')]),
      stream.packets.map(({ sequenceNumber, payload }) => [sequenceNumber, payload.toString('hex')]),
    );
    const said = new Map(
      (stream.label === 'inbound' ? call.customer : call.seller).sent.map((one) => [one.sequenceNumber, one]),
    );
    for (const packet of packets) assert.ok(packet && said.get(packet.sequenceNumber)?.payload.equals(packet.payload));
    // On the wire there was nothing of it in clear.
    for (const { packet } of ours)
      assert.notDeepEqual(parseRtp(packet)?.payload.subarray(0, 160), said.get(packet.readUInt16BE(2))?.payload);
  }
});
