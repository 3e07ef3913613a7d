import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMediaConfirmed, voicesLost } from './recorded-media.js';

const packets = (customer: number, seller: number) => [
  { party: 'customer', packets: BigInt(customer) },
  { party: 'seller', packets: BigInt(seller) },
];
const lost = (due: [number, number], copied: [number, number]) =>
  voicesLost({ due: packets(...due), copied: packets(...copied) });

test('a voice is lost of which nothing was copied, or a second was not; one that was silent is not', () => {
  assert.deepEqual(lost([400, 0], [400, 0]), []);
  assert.deepEqual(lost([400, 400], [351, 400]), []);
  assert.deepEqual(lost([400, 400], [350, 400]), [{ party: 'customer', due: 400, copied: 350 }]);
  assert.deepEqual(lost([400, 1], [400, 0]), [{ party: 'seller', due: 1, copied: 0 }]);
});

test('what could not be counted is not lost', () => {
  assert.deepEqual(voicesLost({ due: [], copied: packets(0, 0) }), []);
  assert.deepEqual(voicesLost({ due: packets(400, 400), copied: [] }), []);
});

test('media is confirmed by what the relay saw leave, or counted at the end', () => {
  const attempt = { recorder: 'eastus', invitedAt: undefined, acceptedAt: undefined, failure: undefined };
  const seen = (mediaConfirmedAt: Date | undefined) => [{ ...attempt, mediaConfirmedAt }];
  assert.ok(isMediaConfirmed({ attempts: seen(new Date()), copied: [] }));
  assert.ok(isMediaConfirmed({ attempts: seen(undefined), copied: packets(0, 1) }));
  assert.ok(!isMediaConfirmed({ attempts: seen(undefined), copied: packets(0, 0) }));
});
