// A party that says within the call that it is somebody else (RFC 4916, RFC 3325): its own side has transferred it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeLeg } from '../testing/fake-leg.js';
import { FakeWorld } from '../testing/fake-world.js';
import { talking } from '../testing/referral.js';

function says(leg: FakeLeg, uri: string, privacy?: string): void {
  const fields: Record<string, string | undefined> = { 'p-asserted-identity': uri, privacy };
  leg.handlers?.identified({ header: (name) => fields[name] });
}

test('the recorder hears of the new party, once; who says what is known already changes nothing', async () => {
  const { world, call, near, far } = await talking();
  says(far, 'sip:+15550001@pbx');
  assert.equal(world.count('callTransferred seller +15550001'), 0);
  says(far, 'sip:+15550009@pbx');
  says(far, 'sip:+15550009@elsewhere');
  assert.equal(world.count('callTransferred seller +15550009'), 1);
  assert.ok(world.did.includes('parties told'));
  says(near, 'sip:+15558888@carrier');
  assert.equal(world.count('callTransferred customer +15558888'), 1);
  assert.equal(call.view.facts.parties.customer.user, '+15558888');
  assert.deepEqual(near.reinvites, [], 'nothing about the media changes');
  near.hangUp();
  await call.ended;
  assert.equal(world.count('recordingEnded'), 1);
});

test('a new seller who is not listed ends the recording', async () => {
  const { world, call, near, far } = await talking();
  world.newSellerListed = false;
  says(far, 'sip:+15550009@pbx');
  await world.until(() => world.count('recordingEnded') > 0);
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'seller-not-listed');
  near.hangUp();
  await call.ended;
});

test('RFC 3323 §4.2: who wants privacy keeps it until it takes that back', async () => {
  const { world, call, near } = await talking(['sip:r1'], new FakeWorld('private'));
  says(near, 'sip:anonymous@anonymous.invalid', 'id');
  says(near, 'sip:+15558888@carrier');
  assert.equal(world.count('callTransferred customer +15558888'), 0);
  says(near, 'sip:+15558888@carrier', 'none');
  assert.equal(world.count('callTransferred customer +15558888'), 1);
  near.hangUp();
  await call.ended;
});
