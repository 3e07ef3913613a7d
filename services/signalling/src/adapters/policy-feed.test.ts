import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Freshness, PolicyPointer, PolicySnapshot } from '@sidestream/policy';
import { createLogger } from '@sidestream/service';
import { PolicyFeed } from './policy-feed.js';

const dayMs = 86_400_000;
const confirmedAt = Date.parse('2026-03-02T09:00:00Z');

function pointer(checkedAt: number): PolicyPointer {
  return {
    version: 1,
    revision: 'abc',
    object: 'contoso/0',
    bytes: 1,
    sha256: 'a'.repeat(64),
    users: 1,
    fetchedAt: new Date(confirmedAt - dayMs).toISOString(),
    checkedAt: new Date(checkedAt).toISOString(),
  };
}

test('a clock that was two days behind and is set right makes no fresh policy stale', async () => {
  const clock = { now: confirmedAt - 2 * dayMs, steady: 0 };
  let freshness: Freshness | undefined;
  const kept = { pointer: pointer(confirmedAt - 3 * dayMs), snapshot: {} as PolicySnapshot };
  const feed = new PolicyFeed(
    'contoso',
    { rule: 'record-none', maxAgeMs: dayMs },
    {
      table: {
        swap: () => undefined,
        confirm: (_tenant, told) => {
          freshness = told;
        },
      },
      store: { read: () => Promise.resolve(kept), keep: () => undefined },
      fetch: () => assert.fail('the content is known'),
      inTurn: (work) => work(),
      log: createLogger({ name: 'test', instance: '1', level: 'silent' }),
      now: () => clock.now,
      steady: () => clock.steady,
    },
  );
  await feed.restore();
  const value = { bytes: Buffer.from(JSON.stringify(pointer(confirmedAt))), storedAt: new Date(confirmedAt) };
  feed.hear(value);
  assert.equal(freshness?.checkedAt.getTime(), clock.now, 'not believed while our clock is behind');
  // A minute later, and by the right clock now.
  Object.assign(clock, { now: confirmedAt + 60_000, steady: 60_000 });
  feed.hear(value);
  assert.equal(freshness?.checkedAt.getTime(), confirmedAt);
  // Time that merely passes decides nothing anew.
  Object.assign(clock, { now: confirmedAt + dayMs, steady: dayMs });
  feed.hear(value);
  assert.equal(freshness?.checkedAt.getTime(), confirmedAt);
});
