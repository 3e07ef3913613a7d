import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candidate } from '@sidestream/routing';
import { FakeWorld } from '../testing/fake-world.js';
import { TargetStates } from './target-states.js';

let now = 0;
const states = () => new TargetStates(() => now);
const world = new FakeWorld();
world.contactCentre = { targets: ['sip:192.0.2.9', 'sip:b', 'sip:c'] };
const [a, b, c] = world.candidates() as [Candidate, Candidate, Candidate];
const hosts = (of: TargetStates) => of.order([a, b, c]).map(({ hostPort }) => hostPort.replace('192.0.2.9', 'a'));

test('what nothing is known of comes in its order', () => {
  assert.deepEqual(hosts(states()), ['a', 'b', 'c']);
});

test('a target that a call could not reach is tried last for 30 s, or until it answers', () => {
  const known = states();
  known.called(a, false);
  assert.deepEqual(hosts(known), ['b', 'c', 'a']);
  known.called(b, false);
  assert.deepEqual(hosts(known), ['c', 'a', 'b']);
  known.called(a, true);
  assert.deepEqual(hosts(known), ['a', 'c', 'b']);
  now += 30_000;
  assert.deepEqual(hosts(known), ['a', 'b', 'c']);
});

test('so many OPTIONS in a row without an answer make a target down, one answer makes it up; each change is told once', () => {
  const known = states();
  const told = [false, false, false, true, true].map((answered) => known.probed(a, answered, 2));
  assert.deepEqual(told, [false, true, false, true, false]);
  known.probed(b, false, 1);
  assert.deepEqual([known.isUp(a), known.isUp(b), known.isUp(c)], [true, false, true]);
  assert.deepEqual(hosts(known), ['a', 'c', 'b']);
  // A call that reaches it all the same proves nothing: it may be the OPTIONS that are filtered, and the order is of no harm then.
  known.called(b, true);
  assert.deepEqual(hosts(known), ['a', 'c', 'b']);
});
