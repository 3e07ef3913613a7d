// Descriptions before the answer: several, of several branches, none, and the answer of one of them (RFC 3261 §13.2.2.4, RFC 3960).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';

async function answered(world: FakeWorld): Promise<string[]> {
  const call = world.call([]);
  call.start();
  await world.until(() => world.count('callAnswered') + world.count('callEnded') > 0);
  if (call.phase === 'talking') world.near?.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
  return world.did.filter((what) => /^(ring|media|refuse)/.test(what));
}

test('it rings without a description: none goes to the caller before the answer', async () => {
  const world = new FakeWorld();
  world.earlyAnswers = [''];
  assert.deepEqual(await answered(world), ['ring 183', 'media answer seller far answer']);
});

test('descriptions that change before the answer reach the caller one after the other', async () => {
  const world = new FakeWorld();
  world.earlyAnswers = ['early 1', 'early 2'];
  assert.deepEqual(await answered(world), [
    'media answer seller early 1',
    'ring 183 answer relayed of early 1',
    'media answer seller early 2',
    'ring 183 answer relayed of early 2',
    'media answer seller far answer',
  ]);
});

test('of forked early media the branch that answers is heard in the end', async () => {
  const world = new FakeWorld();
  world.earlyAnswers = ['early a', 'early b of b'];
  const did = await answered(world);
  assert.equal(did.at(-1), 'media answer seller far answer');
});

test('RFC 3262 §5: a 200 without a description stands for what its own branch said last, not for the last that was heard', async () => {
  const world = new FakeWorld();
  world.earlyAnswers = ['early a', 'early b of b'];
  world.farAnswer = '';
  const did = await answered(world);
  assert.equal(did.at(-1), 'media answer seller early a');
});

test('a 200 without any description ends the call with 488', async () => {
  const world = new FakeWorld();
  world.earlyAnswers = ['', 'early b of b'];
  world.farAnswer = '';
  const did = await answered(world);
  assert.match(did.at(-1) ?? '', /^refuse 488 .*without a description/);
  assert.ok(world.did.includes('bye far'));
});
