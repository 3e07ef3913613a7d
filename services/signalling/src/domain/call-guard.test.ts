import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candidate, Trunk } from '@sidestream/routing';
import { trunkSchema } from '@sidestream/service';
import { CallGuard, type GuardedTrunk } from './call-guard.js';

const trunk = (name: string): Trunk => {
  const place = { tenant: 'contoso', side: 'customer' } as const;
  return { name, ...place, config: trunkSchema.parse({ ...place, peers: ['192.0.2.1'], routes: [{ to: 'pbx' }] }) };
};
const target = (name: string): Candidate => ({
  trunk: trunk(name),
  scheme: 'sip',
  hostPort: '192.0.2.1',
  protocol: 'udp',
  priority: 0,
  weight: 1,
  user: '+4930901820',
});
const called = { from: trunk('pbx'), called: '+4930901820', urgent: false };

function guard(trunks: Record<string, GuardedTrunk>) {
  return new CallGuard({ pbx: {}, cheap: {}, dear: {}, ...trunks }, () => 0);
}

test('a trunk without room is passed over; without another one the first says why', () => {
  const calls = guard({ cheap: { limits: { calls: 1, maxDurationMs: undefined } } });
  const candidates = [target('cheap'), target('dear')];
  const first = calls.admit({ ...called, candidates });
  assert.ok('seats' in first);
  assert.equal(first.candidates.length, 2);
  first.seats.moveTo('cheap');
  const second = calls.admit({ ...called, candidates });
  assert.ok('seats' in second);
  assert.deepEqual(second.candidates, [target('dear')]);
  const third = calls.admit({ ...called, candidates: [target('cheap')] });
  assert.deepEqual(third, { reason: 'trunk-full', text: 'trunk cheap: 1 calls are up' });
});

test('the rules of the trunk that a call comes from and those of where it goes', () => {
  const german = { allow: ['+49'], deny: [] };
  const refused = { reason: 'destination', text: 'trunk pbx: this number is not among those that may be called' };
  const there = { ...called, called: '+43123456', candidates: [target('cheap'), target('dear')] };
  assert.deepEqual(guard({ pbx: { destinations: german } }).admit(there), refused);
  const passed = guard({ cheap: { destinations: german } }).admit(there);
  assert.ok('seats' in passed);
  assert.deepEqual(passed.candidates, [target('dear')]);
  assert.equal(
    'seats' in guard({ cheap: { destinations: german }, dear: { destinations: german } }).admit(there),
    false,
  );
});

test('whoever calls for help is let through, whatever the rules and the limits are', () => {
  const calls = guard({
    pbx: { limits: { calls: 1, maxDurationMs: 1_000 }, destinations: { allow: ['+49'], deny: [] } },
    cheap: { limits: { callsPerSecond: 0.01, maxDurationMs: undefined } },
  });
  for (let index = 0; index < 5; index += 1) {
    const passed = calls.admit({ ...called, called: '112', urgent: true, candidates: [target('cheap')] });
    assert.ok('seats' in passed);
    assert.equal(passed.seats.moveTo('cheap'), undefined);
    assert.equal(passed.seats.maxDurationMs, undefined);
  }
  assert.equal(calls.calls.get('pbx'), 5);
});

test('a call that is up is sent on to where it gives up its place, however full that is, and takes no other', () => {
  const calls = guard({
    pbx: { limits: { calls: 1, callsPerSecond: 1, maxDurationMs: undefined } },
    cheap: { limits: { calls: 1, maxDurationMs: undefined } },
    dear: { destinations: { allow: ['+43'], deny: [] } },
  });
  const candidates = [target('pbx'), target('cheap'), target('dear')];
  const up = calls.admit({ ...called, candidates: [target('cheap')] });
  assert.ok('seats' in up);
  up.seats.moveTo('cheap');
  assert.deepEqual(calls.onward({ ...called, candidates }, 'pbx'), [target('pbx')]);
  assert.deepEqual(calls.onward({ ...called, candidates }, 'cheap'), [target('cheap')]);
  assert.deepEqual(
    [...calls.calls],
    [
      ['pbx', 1],
      ['cheap', 1],
      ['dear', 0],
    ],
  );
  assert.deepEqual(calls.onward({ ...called, candidates, urgent: true }, 'pbx'), candidates);
});
