import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { answer, FakeClock, FakeSource, MemoryStore, Notes } from '../testing/fake-world.js';
import { PolicySync } from './policy-sync.js';
import { SyncError } from './sync-error.js';

const minute = 60_000;
const pace = { pollIntervalMs: 5 * minute, maxAgeMs: 60 * minute };

/** One tenant's syncing in a world of its own. */
class Stage {
  readonly clock = new FakeClock();
  readonly source = new FakeSource();
  readonly store = new MemoryStore();
  readonly notes = new Notes();
  readonly sync = new PolicySync({
    tenants: [{ tenant: 'contoso', pace }],
    source: this.source,
    store: this.store,
    announce: this.notes,
    clock: this.clock,
    random: () => 0.5,
  });

  /** Begins; ends with the test. */
  async begin(t: TestContext): Promise<() => Promise<void>> {
    const ending = new AbortController();
    const running = this.sync.run(ending.signal);
    const end = async () => {
      ending.abort(new Error('ended'));
      await running;
    };
    t.after(end);
    await this.clock.pass(3_000);
    return end;
  }
}

const broken = new SyncError('bad-answer', 'garbage', { retryable: true });

describe('the last good policy', () => {
  for (const error of [
    broken,
    new SyncError('server-error', '500', { retryable: true }),
    new SyncError('entra-refused', 'expired secret', { retryable: false }),
    new SyncError('identities-refused', 'line 7'),
  ]) {
    test(`stays after ${error.code}, said once however often it is tried`, async (t) => {
      const stage = new Stage();
      stage.source.answers.push(answer('a'), error);
      await stage.begin(t);
      await stage.clock.pass(30 * minute);
      assert.ok(stage.notes.outcomes.filter((one) => one === error.code).length > 3);
      assert.equal(stage.store.stored?.pointer.revision, 'a');
      assert.deepEqual(stage.notes.said, ['applied a after none', `rejected ${error.code} keeps a`]);
      assert.equal(stage.sync.state('contoso')?.failure?.code, error.code);
    });
  }

  test('is replaced by an empty list', async (t) => {
    const stage = new Stage();
    stage.source.answers.push(answer('a'), answer('e', { users: 0 }));
    await stage.begin(t);
    await stage.clock.pass(5 * minute);
    assert.equal(stage.store.stored?.pointer.users, 0);
    assert.deepEqual(stage.notes.said, ['applied a after none', 'applied e after a']);
  });
});

test('a kind of failure is said again after a success in between', async (t) => {
  const stage = new Stage();
  stage.source.answers.push(broken, answer('a'), broken);
  await stage.begin(t);
  await stage.clock.pass(20 * minute);
  assert.deepEqual(stage.notes.said, [
    'rejected bad-answer keeps none',
    'applied a after none',
    'rejected bad-answer keeps a',
  ]);
});

test('unchanged content only renews the time, whether the provider says so or sends it again', async (t) => {
  const stage = new Stage();
  stage.source.answers.push(answer('a'), { changed: false }, answer('a'));
  await stage.begin(t);
  const first = stage.store.stored?.pointer;
  await stage.clock.pass(10 * minute);
  assert.deepEqual(stage.store.writes, ['replace', 'confirm', 'confirm']);
  assert.equal(stage.store.stored?.pointer.fetchedAt, first?.fetchedAt);
  assert.ok((stage.store.stored?.pointer.checkedAt ?? '') > (first?.checkedAt ?? ''));
  assert.deepEqual(stage.notes.said, ['applied a after none']);
});

test('the provider is asked with what it gave for the policy that is stored, by whomever it was', async (t) => {
  const stage = new Stage();
  stage.source.answers.push(answer('a'), { changed: false });
  const end = await stage.begin(t);
  await end();
  assert.equal(stage.sync.active, false);
  await stage.begin(t);
  assert.deepEqual(stage.source.asked, [undefined, { validators: { etag: 'a' }, recipe: 'r', users: 'a' }]);
  assert.deepEqual(stage.store.writes, ['replace', 'confirm']);
});

test('validators that changed without the list are asked with the next time', async (t) => {
  const stage = new Stage();
  const basis = { validators: { etag: 'other' }, recipe: 'r', users: 'a' };
  stage.source.answers.push(answer('a'), { changed: false, basis }, { changed: false });
  await stage.begin(t);
  await stage.clock.pass(10 * minute);
  assert.deepEqual(stage.source.asked.slice(2), [basis]);
});

test('a pointer whose snapshot is gone is not confirmed: the content is stored again', async (t) => {
  const stage = new Stage();
  stage.source.answers.push(answer('a'));
  const end = await stage.begin(t);
  await end();
  if (stage.store.stored) stage.store.stored = { ...stage.store.stored, complete: false };
  await stage.begin(t);
  assert.deepEqual(stage.source.asked, [undefined, undefined]);
  assert.deepEqual(stage.store.writes, ['replace', 'replace']);
});

test('a stale policy is announced once, and again only after it was confirmed', async (t) => {
  const stage = new Stage();
  stage.source.answers.push(answer('a'), broken);
  await stage.begin(t);
  await stage.clock.pass(59 * minute);
  assert.ok(!stage.notes.said.includes('stale a'));
  await stage.clock.pass(60 * minute);
  assert.equal(stage.notes.said.filter((line) => line === 'stale a').length, 1);
  stage.source.answers.splice(0, 1, answer('a'), broken);
  await stage.clock.pass(80 * minute);
  assert.equal(stage.notes.said.filter((line) => line === 'stale a').length, 2);
});

test('what an earlier run announced is not said again by the next', async (t) => {
  const stage = new Stage();
  stage.source.answers.push(answer('a'), broken);
  const end = await stage.begin(t);
  await stage.clock.pass(70 * minute);
  const said = [...stage.notes.said];
  await end();
  await stage.begin(t);
  await stage.clock.pass(20 * minute);
  assert.deepEqual(stage.notes.said, said);
});

describe('a store that fails', () => {
  test('leaves what was there, and is written to as soon as it can be', async (t) => {
    const stage = new Stage();
    stage.source.answers.push(answer('a'), answer('b'));
    await stage.begin(t);
    stage.store.failure = new SyncError('store-full', 'no room');
    await stage.clock.pass(5 * minute);
    assert.equal(stage.store.stored?.pointer.revision, 'a');
    assert.deepEqual(stage.notes.said.slice(1), ['rejected store-full keeps a']);
    const asked = assert.rejects(stage.sync.syncNow('contoso'), {
      code: 'policy-unavailable',
      message: /^store-full: /,
    });
    await stage.clock.pass(0);
    await asked;
    stage.store.failure = undefined;
    await stage.clock.pass(minute);
    assert.equal(stage.store.stored?.pointer.revision, 'b');
  });
});

describe('sync now', () => {
  test('asks for the whole list at once, and tells the outcome', async (t) => {
    const stage = new Stage();
    stage.source.answers.push(answer('a'), answer('b'));
    await stage.begin(t);
    const asked = stage.sync.syncNow('contoso');
    await stage.clock.pass(0);
    const { changed, stored } = await asked;
    assert.deepEqual([changed, stored.pointer.revision], [true, 'b']);
    assert.deepEqual(stage.source.asked, [undefined, undefined]);
  });

  test('says why it failed', async (t) => {
    const stage = new Stage();
    stage.source.answers.push(answer('a'), new SyncError('forbidden', 'consent is missing', { retryable: false }));
    await stage.begin(t);
    const asked = stage.sync.syncNow('contoso');
    const refused = assert.rejects(asked, { code: 'provider-refused', message: 'forbidden: consent is missing' });
    await stage.clock.pass(0);
    await refused;
  });

  test('is refused by who is not active, and by who no longer is', async (t) => {
    const stage = new Stage();
    await assert.rejects(stage.sync.syncNow('contoso'), { code: 'not-active' });
    stage.source.answers.push(answer('a'));
    const end = await stage.begin(t);
    const asked = assert.rejects(stage.sync.syncNow('contoso'), { code: 'not-active' });
    await end();
    await asked;
  });
});
