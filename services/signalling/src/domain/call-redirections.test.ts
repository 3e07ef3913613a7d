import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candidate } from '@sidestream/routing';
import type { SipUri } from '@sidestream/sip';
import { FakeWorld } from '../testing/fake-world.js';
import { Redirections } from './call-redirections.js';
import type { RecordingTerms } from './recording-terms.js';

const [target] = new FakeWorld().candidates() as [Candidate];

/** Every number leads to one place; who was asked for is kept. */
function redirections(called = '100') {
  const asked: string[] = [];
  const route = ({ user = '' }: SipUri) => {
    asked.push(user);
    return user === 'nowhere' ? [] : [{ ...target, user }];
  };
  return { asked, followed: new Redirections(called, route) };
}

const users = (candidates: readonly Candidate[]) => candidates.map(({ user }) => user);

test('RFC 3261 §8.1.3.4: Contacts by their q, the highest first; what can not be read and what leads nowhere is left out', () => {
  const { followed } = redirections();
  const contact =
    '<sip:201@a>;q=0.2, <sip:202@b>, "x" <sip:203@c>;q=0.7, <sip:nowhere@d>, <<, <sip:e.example>, <tel:+49301>;q=0.1';
  assert.deepEqual(users(followed.follow({ ...target, user: '100' }, contact)), ['202', '203', '201', '+49301']);
  assert.deepEqual(followed.diverted, ['100']);
});

test('a number that was called already leads nowhere, so that no circle is followed', () => {
  const { followed, asked } = redirections();
  assert.deepEqual(users(followed.follow(target, '<sip:100@a>')), []);
  assert.deepEqual(users(followed.follow(target, '<sip:201@a>')), ['201']);
  assert.deepEqual(users(followed.follow(target, '<sip:201@b>, <sip:100@b>')), []);
  assert.deepEqual(asked, ['201']);
});

test('redirections have an end, however many numbers are named', () => {
  const { followed } = redirections();
  const found = Array.from({ length: 20 }, (_, index) => followed.follow(target, `<sip:3${index}@a>`).length);
  assert.equal(found.filter((count) => count > 0).length, 5);
  const many = redirections();
  const contacts = Array.from({ length: 100 }, (_, index) => `<sip:4${index}@a>`).join(', ');
  assert.equal(many.followed.follow(target, contacts).length, 8);
});

/** A call whose first target redirects it and, unless `then` says otherwise, whose second answers. */
async function redirected(
  contact: string,
  then?: { status: number; reason: string },
  {
    world = new FakeWorld(),
    ...listed
  }: { world?: FakeWorld; recorders?: string[]; terms?: Partial<RecordingTerms> } = {},
): Promise<FakeWorld> {
  world.farRefusal = { status: 302, reason: 'Moved Temporarily', contact };
  world.onStep = (name) => {
    if (name === 'invite' && world.dialled.length > 1) world.farRefusal = then;
    if (name === 'accept') world.did.push(`accept after ${world.count('recordingStarted')} recordings`);
  };
  const call = world.call(listed.recorders ?? [], listed.terms);
  call.start();
  await world.until(() => world.count('callAnswered') + world.count('callEnded') > 0);
  if (world.count('callEnded') === 0) world.near?.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
  return world;
}

test('302: the call goes on to whom it names, who is told of the diversion and of no host', async () => {
  const world = await redirected('<sip:+15550002@10.9.8.7>');
  assert.equal(world.dialled.length, 2);
  assert.equal(world.count('callAnswered'), 1);
  const [diversion] = [world.dialled[1]?.headers['Diversion']].flat();
  assert.match(diversion ?? '', /^<sip:[^@>]+@192\.0\.2\.1>;reason=unknown$/);
  assert.doesNotMatch(JSON.stringify(world.dialled[1]), /10\.9\.8\.7/);
});

test('302 that leads nowhere, or no Contact: a refusal of ours; who is called instead and refuses has the last word', async () => {
  for (const contact of ['<sip:nowhere@10.9.8.7>', '<<']) {
    const world = await redirected(contact);
    assert.deepEqual([world.dialled.length, world.did.find((what) => what.startsWith('refuse'))], [1, 'refuse 502']);
  }
  const world = await redirected('<sip:+15550002@10.9.8.7>', { status: 486, reason: 'Busy Here' });
  assert.equal(world.dialled.length, 2);
  assert.ok(world.did.includes('refuse 486'));
});

test('302 to a seller who must be recorded: the caller hears 200 once the recorder has answered, 503 where none does', async () => {
  const world = new FakeWorld();
  world.newTerms = { required: true };
  await redirected('<sip:+15550002@10.9.8.7>', undefined, { world });
  assert.ok(world.did.includes('accept after 1 recordings'), world.did.join('; '));
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'call-ended');
  const without = new FakeWorld();
  without.newTerms = { required: true };
  without.behaviours.set('recorder invite', 'fail');
  await redirected('<sip:+15550002@10.9.8.7>', undefined, { world: without });
  assert.equal(without.terminationOf('callEnded')?.reason, 'recording-required');
  assert.equal(without.near, undefined);
});

test('302 from a seller who must be recorded to one who is not listed: no recorder is asked, and nobody waits for one', async () => {
  const world = new FakeWorld();
  world.newSellerListed = false;
  const terms = { required: true };
  await redirected('<sip:+15550002@10.9.8.7>', undefined, { world, recorders: ['sip:r1'], terms });
  assert.equal(world.count('callAnswered'), 1);
  assert.deepEqual([world.asked, world.terminationOf('callEnded')?.reason], [false, 'hangup']);
});

test('302 after ringing, while the recorder of the first seller is asked: that recording ends, the call goes on', async () => {
  const world = new FakeWorld();
  world.newSellerListed = false;
  world.ringing = () => world.until(() => world.steps.includes('recorder invite'));
  world.behaviours.set('recorder invite', 'obey');
  const terms = { required: true };
  await redirected('<sip:+15550002@10.9.8.7>', undefined, { world, recorders: ['sip:r1'], terms });
  assert.equal(world.count('callAnswered'), 1);
  assert.equal(world.terminationOf('recordingFailed')?.reason, 'seller-not-listed');
});
