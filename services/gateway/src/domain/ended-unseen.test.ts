import assert from 'node:assert/strict';
import { test } from 'node:test';
import { started } from '../testing/stream.js';
import { EndedUnseen } from './ended-unseen.js';
import { KnownCalls } from './known-calls.js';

/** A call of `s1`, a process that began at 1 s; the call began at 2 s. */
function stage() {
  const known = new KnownCalls({ maxCalls: 10 });
  known.take({ body: started('ada', 'c1'), source: 'signalling.s1', time: new Date(2_000) });
  const unseen = new EndedUnseen(known, { graceMs: 100 });
  const hear = (nowMs: number, callIds: string[] = [], changes = {}) => {
    const listing = { instance: 's1', sinceMs: 1_000, tenant: 'contoso', callIds: new Set(callIds), ...changes };
    return unseen.take(listing, nowMs).map(({ callId }) => callId);
  };
  return { known, hear };
}

test('a call that its process has not listed for the grace has ended', () => {
  const { hear } = stage();
  assert.deepEqual([hear(100_000), hear(100_099), hear(100_100)], [[], [], ['c1']]);
  const all = stage();
  assert.deepEqual([all.hear(2_000, [], { tenant: '' }), all.hear(2_100)], [[], ['c1']]);
});

test('one that is listed again, or of another tenant, has not', () => {
  const { hear } = stage();
  assert.deepEqual([hear(100_000), hear(100_100, ['c1']), hear(100_150)], [[], [], []]);
  const other = stage();
  for (const nowMs of [100_000, 200_000]) assert.deepEqual(other.hear(nowMs, [], { tenant: 'fabrikam' }), []);
});

test('calls from before the process are not its to tell of, nor is one counted that another process did not list', () => {
  const { hear } = stage();
  for (const nowMs of [100_000, 200_000]) assert.deepEqual(hear(nowMs, [], { sinceMs: 3_000 }), []);
  const anew = stage();
  assert.deepEqual([anew.hear(100_000), anew.hear(100_100, [], { sinceMs: 1_500 })], [[], []]);
});
