// policy-sync when things go away: an instance, NATS, the provider. Real processes, nats-server and HTTPS.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { parseProviderFault } from '@sidestream/simulators';
import { ada, bob, type PolicyInstance, PolicyStage, secret } from './policy-stage.js';

/** Two instances, the active one first. */
async function two(stage: PolicyStage): Promise<[PolicyInstance, PolicyInstance]> {
  const [one, other] = [await stage.start('one'), await stage.start('two')];
  await eventually(async () => (await one.status()).active !== (await other.status()).active, 'one is active');
  return (await one.status()).active ? [one, other] : [other, one];
}

test('killed -9, the active instance is followed within 15 s by the other, which goes on where it was', async (t) => {
  const stage = await PolicyStage.open(t);
  if (stage === undefined) return;
  const [active, standby] = await two(stage);
  const before = await stage.pointerWhere('the policy', ({ users }) => users === 2);

  // Who stands by says the same, and does not sync.
  const said = await Promise.all([active, standby].map((one) => one.explain('+4930901820')));
  assert.deepEqual({ ...said[0], checkedAt: 0 }, { ...said[1], checkedAt: 0 });
  assert.equal((await standby.tenant()).revision, before.revision);
  await assert.rejects(standby.syncNow(), { code: 'not-active' });

  const killed = performance.now();
  active.service.kill('SIGKILL');
  stage.provider().setUsers([bob]);
  await stage.pointerWhere('the policy of the other', ({ users }) => users === 1, { timeoutMs: 15_000 });
  t.diagnostic(`the other wrote a pointer after ${Math.round(performance.now() - killed)} ms`);
  assert.equal((await standby.status()).active, true);
  assert.equal((await standby.syncNow()).changed, false);
});

test('stopped, an instance hands over at once and ends cleanly', async (t) => {
  const stage = await PolicyStage.open(t);
  if (stage === undefined) return;
  const [active, standby] = await two(stage);
  const asked = performance.now();
  assert.equal(await active.service.stop(10_000), 'exit code 0');
  await eventually(async () => (await standby.status()).active, 'the other is active', 5_000);
  t.diagnostic(`handed over after ${Math.round(performance.now() - asked)} ms`);
});

test('NATS gone and back: the policy that was there is kept, and the syncing goes on', async (t) => {
  const stage = await PolicyStage.open(t);
  if (stage === undefined) return;
  const instance = await stage.start('one');
  const before = await stage.pointerWhere('the policy', ({ users }) => users === 2);
  await stage.nats.stop();
  await eventually(async () => !(await instance.status().catch(() => ({ active: false }))).active, 'it stands by');
  await assert.rejects(instance.explain('+4930901820'), { code: 'policy-unavailable', message: /NATS is away/ });
  await stage.startNats();
  await stage.pointerWhere('a confirmation', ({ checkedAt }) => checkedAt !== before['checkedAt']);
  assert.equal((await stage.pointer())?.revision, before.revision);
  stage.provider().setUsers([ada]);
  await stage.pointerWhere('the new list', ({ users }) => users === 1);
  assert.equal((await instance.explain('+4930901820')).reason, 'listed');
});

test('started again, an instance asks with the ETag that the one before got', async (t) => {
  const stage = await PolicyStage.open(t);
  if (stage === undefined) return;
  const first = await stage.start('one');
  const before = await stage.pointerWhere('the policy', ({ users }) => users === 2);
  await first.service.stop(10_000);
  const asked = stage.provider().requests.length;
  await stage.start('one');
  await stage.pointerWhere('a confirmation', ({ checkedAt }) => checkedAt !== before['checkedAt']);
  const statuses = stage
    .provider()
    .requests.slice(asked)
    .filter(({ place }) => place === 'users');
  assert.ok(statuses.length > 0 && statuses.every(({ status }) => status === 304));
  assert.equal((await stage.pointer())?.revision, before.revision);
});

test('a secret that was replaced is used without a restart', async (t) => {
  const stage = await PolicyStage.open(t);
  if (stage === undefined) return;
  const instance = await stage.start('one');
  await stage.pointerWhere('the policy', ({ users }) => users === 2);
  writeFileSync(join(stage.directory, 'secret'), 'of yesterday');
  await eventually(async () => (await instance.tenant()).lastError !== '', 'it is refused');
  assert.match((await instance.tenant()).lastError, /^entra-refused: .*AADSTS7000215/);
  writeFileSync(join(stage.directory, 'secret'), secret);
  await eventually(async () => (await instance.tenant()).lastError === '', 'it syncs again');
});

describe('a provider that has not confirmed the policy for maxAge', { concurrency: true }, () => {
  for (const [stale, record] of [
    ['record-none', false],
    ['record-all', true],
    ['keep', true],
  ] as const) {
    test(`${stale}: announced once, and heeded`, async (t) => {
      const stage = await PolicyStage.open(t, { contoso: { stale, maxAge: '10s' } });
      if (stage === undefined) return;
      const instance = await stage.start('one');
      await stage.pointerWhere('the policy', ({ users }) => users === 2);
      stage.provider().fault = parseProviderFault('status=503');
      const events = async () =>
        (await stage.events()).flatMap((one) => (one.$case === 'policyStale' ? [one.value] : []));
      await eventually(async () => (await events()).length > 0, 'the event', 20_000);
      const { revision } = await instance.tenant();
      assert.deepEqual(
        (await events()).map((one) => ({ ...one, checkedAt: undefined })),
        [{ tenant: 'contoso', revision, rule: stale, checkedAt: undefined }],
      );
      const { stale: isStale, staleRule } = await instance.tenant();
      assert.deepEqual([isStale, staleRule], [true, stale]);
      const listed = await instance.explain('+4930901820');
      assert.deepEqual([listed.record, listed.reason], [record, stale === 'keep' ? 'listed' : 'policy-stale']);
      const unlisted = await instance.explain('+4930111111');
      assert.equal(unlisted.record, stale === 'record-all');

      stage.provider().fault = {};
      await eventually(async () => !(await instance.tenant()).stale, 'it is confirmed');
      assert.equal((await instance.explain('+4930901820')).reason, 'listed');
      assert.equal((await events()).length, 1);
    });
  }
});
