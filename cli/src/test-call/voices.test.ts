import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprint, type SentPacket } from '@sidestream/simulators';
import { arrived, streamOf, type VoiceProof, voiceFaults } from './voices.js';

const tolerance = { maxLossPercent: 1, maxStartMs: 1_000 };
const endedAt = 1_000_000 + 200 * 20;

/** 200 packets, 20 ms after each other. */
const voice = (from: number): SentPacket[] =>
  Array.from({ length: 200 }, (_, i) => ({
    ...{ sequenceNumber: from + i, timestamp: from * 7 + i * 160, payloadType: 0, marker: i === 0, ssrc: from },
    ...{ payload: Buffer.from(`packet ${from + i}`), sentAt: 1_000_000 + i * 20 },
  }));
const caller = voice(1_000);
const called = voice(30_000);
const all = caller.map(fingerprint);

const proof = (recorded: VoiceProof['recorded'], heard = arrived(caller, all, endedAt)): VoiceProof => ({
  ...{ party: 'caller', sent: caller.length, heard, recorded },
});
const faults = (packets: typeof all) =>
  voiceFaults(proof({ label: 'inbound', ...arrived(caller, packets, endedAt) }), tolerance);

test('a voice that arrived whole, but for what was set up late and what was under way at the end, is without fault', () => {
  assert.deepEqual(faults(all), []);
  assert.deepEqual(faults(all.slice(30, -5)), []);
});

test('what is lost, late, foreign or not there is a fault that says where and how much', () => {
  const without = (from: number, to: number) => all.filter((_, i) => i < from || i >= to);
  assert.match(faults(without(100, 103)).join(), /recorder, stream inbound of the caller: 3 of 200 packets lost/);
  assert.deepEqual(faults(without(100, 102)), [], 'one in a hundred was allowed');
  assert.match(faults(all.slice(100)).join(), /the first 2000 ms are missing/);
  assert.match(faults([...all, ...called.slice(0, 2).map(fingerprint)]).join(), /2 packets are not what was said/);
  const changed = all.map((one, i) => (i === 50 ? { ...one, payload: Buffer.alloc(8) } : one));
  assert.match(faults(changed).join(), /1 packets are not what was said/);
  assert.match(faults([]).join(), /nothing of 200 packets arrived/);
  const deaf = voiceFaults(proof(null, arrived(caller, [], endedAt)), tolerance);
  assert.match(deaf.join(), /the called party, hearing the caller: nothing of 200 packets arrived/);
});

test('the stream of a voice is found by its packets, whatever its label', () => {
  const streams = [
    { label: 'outbound', packets: all },
    { label: 'inbound', packets: called.map(fingerprint) },
  ];
  assert.equal(streamOf(caller, streams)?.label, 'outbound');
  assert.equal(streamOf(called, streams)?.label, 'inbound');
  assert.equal(streamOf(voice(50_000), streams), undefined);
});
