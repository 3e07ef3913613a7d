import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '../clock.js';
import { TimerSet } from '../transaction/timer-set.js';
import {
  initialSessionClock,
  type SessionClockEvent,
  type SessionClockTimer,
  sessionClockStep,
  sessionRefreshHeaders,
} from './session-clock.js';
import { formatSessionExpires } from './session-expires.js';

/** Runs the rules on a manual clock and notes what they want, with the second at which they do. */
function session() {
  const clock = new ManualClock();
  const heard: string[] = [];
  let state = initialSessionClock;
  const timers = new TimerSet<SessionClockTimer>(clock, (timer) => tell({ type: 'timer', timer }));
  const tell = (event: SessionClockEvent): void => {
    const step = sessionClockStep(state, event, clock.now());
    state = step.state;
    for (const effect of step.effects) {
      const at = clock.now() / 1_000;
      if (effect.type === 'start-timer') timers.start(effect.timer, effect.ms);
      else if (effect.type === 'stop-timer') timers.stop(effect.timer);
      else if (effect.type === 'end') heard.push(`${at} end`);
      else heard.push(`${at} ${formatSessionExpires(effect.sessionExpires)} min ${effect.minSe ?? '-'}`);
    }
  };
  const agree = (seconds: number, weRefresh: boolean): void => tell({ type: 'agreed', timer: { seconds, weRefresh } });
  const pass = (seconds: number): void => clock.advance(seconds * 1_000);
  return { clock, heard, tell, agree, pass, headers: () => sessionRefreshHeaders(state) };
}

test('RFC 4028 §7.2: we refresh at half the interval, again after every 2xx, and end at the interval without one', () => {
  const { heard, agree, pass } = session();
  agree(90, true);
  pass(45);
  assert.deepEqual(heard, ['45 90;refresher=uac min -']);
  agree(90, true);
  pass(45);
  assert.equal(heard[1], '90 90;refresher=uac min -');
  pass(44.9);
  assert.equal(heard.length, 2);
  pass(0.1);
  assert.deepEqual(heard.slice(2), ['135 end']);
});

test('RFC 4028 §10: the peer refreshes: the session ends a third of the interval, at most 32 s, before its time', () => {
  for (const [seconds, end] of [
    [90, 60],
    [1800, 1768],
  ] as const) {
    const { heard, agree, pass } = session();
    agree(seconds, false);
    pass(50);
    agree(seconds, false);
    pass(end - 0.1);
    assert.deepEqual(heard, []);
    pass(0.1);
    assert.deepEqual(heard, [`${50 + end} end`]);
  }
});

test('RFC 4028 §7.2: a 2xx without a timer turns it off', () => {
  const { clock, heard, tell, agree, pass, headers } = session();
  agree(90, true);
  tell({ type: 'agreed', timer: undefined });
  pass(1_000);
  assert.deepEqual([heard, clock.pending, headers()], [[], 0, undefined]);
});

test('RFC 4028 §10: 408 and 481 to a refresh end the session at once', () => {
  for (const status of [408, 481]) {
    const { clock, heard, tell, agree, pass } = session();
    agree(90, true);
    pass(45);
    tell({ type: 'refused', status });
    assert.deepEqual(heard.slice(1), ['45 end']);
    assert.equal(clock.pending, 0);
  }
});

test('RFC 4028 §7.4: 422 is asked again at once with its Min-SE; the session’s end has not moved', () => {
  const { heard, tell, agree, pass, headers } = session();
  agree(90, true);
  pass(45);
  tell({ type: 'min-se', seconds: 300 });
  tell({ type: 'refused', status: 422 });
  assert.deepEqual(heard.slice(1), ['45 300;refresher=uac min 300']);
  tell({ type: 'refused', status: 422 });
  pass(45);
  assert.deepEqual(heard.slice(2), ['90 end']);
  tell({ type: 'min-se', seconds: 200 });
  agree(1800, false);
  assert.deepEqual(headers(), { sessionExpires: { seconds: 1800, refresher: 'uas' }, minSe: 300 });
});

test('RFC 3261 §14.1: a collision (491) is tried again after its delay, as often as it happens', () => {
  const { heard, tell, agree, pass } = session();
  agree(90, true);
  pass(45);
  for (let count = 0; count < 3; count += 1) {
    tell({ type: 'refused', status: 491, retryMs: 2_500 });
    pass(2.5);
  }
  assert.deepEqual(
    heard.map((line) => line.split(' ')[0]),
    ['45', '47.5', '50', '52.5'],
  );
});

test('RFC 4028 §10: another refusal is tried once more, then the session runs out', () => {
  const { heard, tell, agree, pass } = session();
  agree(90, true);
  pass(45);
  tell({ type: 'refused', status: 500 });
  pass(22.5);
  assert.equal(heard[1], '67.5 90;refresher=uac min -');
  tell({ type: 'refused', status: 500 });
  pass(22.5);
  assert.deepEqual(heard.slice(2), ['90 end']);
});

test('an interval of many years does not run over the clock', () => {
  const { heard, agree, pass } = session();
  agree(2 ** 32 - 1, true);
  pass(1_000_000);
  assert.deepEqual(heard, []);
  pass(100_000);
  assert.match(heard[0] ?? '', /^1073741\.8235 4294967295;refresher=uac/);
});

test('whatever happens: an end leaves no timer, and nothing follows it', () => {
  const event: fc.Arbitrary<SessionClockEvent | number> = fc.oneof(
    fc.record({ type: fc.constant('refused' as const), status: fc.constantFrom(401, 408, 422, 481, 491, 500) }),
    fc.record({ type: fc.constant('min-se' as const), seconds: fc.integer({ min: 90, max: 10_000 }) }),
    fc.integer({ min: 0, max: 200 }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 90, max: 400 }), fc.boolean(), fc.array(event), (seconds, weRefresh, events) => {
      const { clock, heard, tell, agree, pass } = session();
      agree(seconds, weRefresh);
      for (const one of events) {
        if (typeof one === 'number') pass(one);
        else tell(one);
      }
      pass(seconds);
      assert.equal(heard.filter((line) => line.endsWith('end')).length, 1);
      assert.match(heard.at(-1) ?? '', /end$/);
      assert.equal(clock.pending, 0);
    }),
  );
});
