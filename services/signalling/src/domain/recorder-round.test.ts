import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecorderRound } from './recorder-round.js';

test('each recorder is asked once in a round, in the order that holds at that moment', () => {
  let order = ['a', 'b', 'c'];
  const round = new RecorderRound(() => order);
  assert.deepEqual(round.next(), { recorder: 'a', last: false });
  order = ['c', 'a', 'b'];
  assert.deepEqual(round.next(), { recorder: 'c', last: false });
  // One that is full now is left out.
  order = ['a', 'c'];
  assert.equal(round.next(), undefined);
  order = ['a', 'b', 'c'];
  assert.deepEqual(round.next(), { recorder: 'b', last: true });
  assert.equal(round.next(), undefined);
  round.begin();
  assert.deepEqual(round.next(), { recorder: 'a', last: false });
});

test('while one is sound, the others come first when it is lost', () => {
  const round = new RecorderRound(() => ['a', 'b']);
  round.next();
  round.next();
  round.begin('a');
  assert.deepEqual(round.next(), { recorder: 'b', last: true });
  assert.equal(round.next(), undefined);
});
