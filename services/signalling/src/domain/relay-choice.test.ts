import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RelayLease, rankRelays } from './relay-choice.js';

function lease(address: string, over: Partial<RelayLease> = {}): RelayLease {
  return { address, region: 'eu', sessions: 0, capacity: 100, draining: false, ...over };
}

const none = new Map<string, number>();
const rank = (leases: RelayLease[], configured: string[] = [], pending = none) =>
  rankRelays(leases, configured, 'eu', pending, () => 0.5);

test('the least loaded relay comes first, a draining or full one not at all', () => {
  const ranked = rank([
    lease('a', { sessions: 50 }),
    lease('b', { sessions: 10 }),
    lease('c', { draining: true }),
    lease('d', { sessions: 100 }),
  ]);
  assert.deepEqual(ranked, ['b', 'a']);
});

test('load is relative to capacity, and sessions that no lease shows yet count', () => {
  assert.deepEqual(
    rank([lease('small', { sessions: 5, capacity: 10 }), lease('big', { sessions: 40, capacity: 1000 })]),
    ['big', 'small'],
  );
  assert.deepEqual(rank([lease('a'), lease('b', { sessions: 1 })], [], new Map([['a', 2]])), ['b', 'a']);
});

test("another region's relays are for its own calls, however many there are; the configured ones are better", () => {
  const far = lease('far', { region: 'us' });
  assert.deepEqual(rank([far, lease('near', { sessions: 90 })]), ['near']);
  assert.deepEqual(rank([far]), []);
  assert.deepEqual(rank([far], ['x:1']), ['x:1']);
  assert.deepEqual(
    rankRelays([far, lease('near', { sessions: 90 })], [], undefined, none, () => 0.5),
    ['far', 'near'],
  );
});

test('without any lease the configured relays are tried; with leases they are not', () => {
  assert.deepEqual(rank([], ['x:1']), ['x:1']);
  assert.deepEqual(rank([lease('a', { draining: true })], ['x:1']), []);
});
