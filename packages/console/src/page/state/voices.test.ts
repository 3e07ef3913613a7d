import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Voice } from '../api/shapes.js';
import { callOf, recordingOf } from './call-fixture.js';
import { voiceFlows } from './voices.js';

const rates = (customer: number, seller: number): Voice[] => [
  { party: 'customer', packetsPerSecond: customer },
  { party: 'seller', packetsPerSecond: seller },
];

test('each voice with its copy; a party that is silent is no fault, one that is not copied is', () => {
  const call = callOf({ voices: rates(50, 0), recordings: [recordingOf({ voices: rates(0, 0) })] });
  assert.deepEqual(voiceFlows(call), [
    { party: 'Customer', incoming: 50, copied: 0, tone: 'bad' },
    { party: 'Seller', incoming: 0, copied: 0, tone: 'idle' },
  ]);
  const paused = callOf({ voices: rates(50, 50), recordings: [recordingOf({ phase: 'paused', voices: rates(0, 0) })] });
  assert.deepEqual(
    voiceFlows(paused).map(({ tone }) => tone),
    ['good', 'good'],
  );
});

test('a gateway that tells nothing of voices, and a call without a recording', () => {
  assert.deepEqual(voiceFlows(callOf()), []);
  assert.equal(voiceFlows(callOf({ voices: rates(50, 50) }))[0]?.copied, undefined);
  const over = recordingOf({ phase: 'ended', voices: rates(0, 0) });
  assert.equal(voiceFlows(callOf({ voices: rates(50, 50), recordings: [over] }))[0]?.copied, undefined);
});
