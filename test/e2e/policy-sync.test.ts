// The policy from the provider to where every instance finds it: real processes, nats-server and HTTPS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { faultless, parseProviderFault } from '@sidestream/simulators';
import { ada, bob, type Pointer, PolicyStage, secret } from './policy-stage.js';

test('users of the provider become a policy, which follows them within a poll interval', async (t) => {
  const stage = await PolicyStage.open(t);
  if (stage === undefined) return;
  const instance = await stage.start('one');
  const first = await stage.pointerWhere('the first policy', ({ users }) => users === 2);

  const added = performance.now();
  stage.provider().setUsers([ada, bob, { id: 'u-cy', phone: '+49 30 1234567' }]);
  const second = await stage.pointerWhere('the added user', ({ users }) => users === 3);
  assert.ok(performance.now() - added < 2_000, `${performance.now() - added} ms`);
  assert.notEqual(second.revision, first.revision);
  assert.equal((await instance.explain('tel:+49301234567')).reason, 'listed');

  const removed = performance.now();
  stage.provider().setUsers([bob]);
  await stage.pointerWhere('the removed users', ({ users }) => users === 1);
  assert.ok(performance.now() - removed < 2_000, `${performance.now() - removed} ms`);
  assert.equal((await instance.explain('+4930901820')).reason, 'not-listed');

  stage.provider().setUsers([]);
  const empty = await stage.pointerWhere('nobody', ({ users }) => users === 0);
  // An unchanged list is asked for with its ETag, and only renews the time.
  const [before] = stage
    .provider()
    .requests.filter(({ place }) => place === 'users')
    .slice(-1);
  const confirmed = await stage.pointerWhere('a confirmation', ({ checkedAt }) => checkedAt !== empty['checkedAt']);
  assert.deepEqual({ ...confirmed, checkedAt: 0 }, { ...empty, checkedAt: 0 });
  await eventually(() => {
    const last = stage
      .provider()
      .requests.filter(({ place }) => place === 'users')
      .at(-1);
    return last !== before && last?.status === 304;
  }, '304');
  await eventually(async () => (await stage.events()).length >= 4, 'the events');
  const applied = (await stage.events()).flatMap((body) => (body.$case === 'policyApplied' ? [body.value.users] : []));
  assert.deepEqual(applied, [2, 3, 1, 0]);
  assert.match(await instance.metrics(), /^sidestream_policy_age_seconds\{tenant="contoso",.*\} \d/m);
  assert.match(
    await instance.metrics(),
    new RegExp(`^sidestream_policy_info\\{.*revision="${empty.revision}".*\\} 1$`, 'm'),
  );
});

/** A fault of the provider, and how the status tells of it. */
const faults: Readonly<Record<string, { readonly fault: string; readonly told: RegExp }>> = {
  'status-500': { fault: 'status=500', told: /^server-error: .* answers 500/ },
  throttled: { fault: 'throttle=60', told: /^throttled: / },
  slow: { fault: 'slow', told: /^timeout: / },
  dropped: { fault: 'drop', told: /^unreachable: / },
  truncated: { fault: 'truncated', told: /^unreachable: / },
  garbage: { fault: 'garbage', told: /^bad-answer: / },
  html: { fault: 'html', told: /^bad-answer: / },
  'wrong-shape': { fault: 'wrong-shape', told: /^bad-answer: / },
  'error-body': { fault: 'error-body', told: /^bad-answer: .*ServiceBusy/ },
  'count-mismatch': { fault: 'count-mismatch', told: /^bad-answer: .*5000 users/ },
  'unknown-next': { fault: 'unknown-next', told: /^bad-answer: .*nextpagetoken/ },
  // As long as the pages differ, only the bounds of the whole call end it.
  'endless-paging': { fault: 'endless-paging', told: /^(bad-answer|timeout): / },
  'circular-paging': { fault: 'circular-paging', told: /^bad-answer: / },
  'foreign-next': { fault: 'foreign-next', told: /^bad-answer: / },
  'expired-secret': { fault: 'expired-secret', told: /^entra-refused: .*AADSTS7000222/ },
  'revoked-consent': { fault: 'revoked-consent', told: /^forbidden: .*consent/ },
  'clock-skew': { fault: 'api-clock-skew=86400', told: /^unauthorized: / },
  'entra-down': { fault: 'entra-status=503', told: /^entra-unreachable: / },
};

test('no fault of the provider replaces the last good policy, and each is told', async (t) => {
  const stage = await PolicyStage.open(t, Object.fromEntries(Object.keys(faults).map((name) => [name, {}])), {
    // An answer that is not changed is confirmed without a body that could be wrong.
    etag: false,
  });
  if (stage === undefined) return;
  const instance = await stage.start('one');
  const good = new Map<string, Pointer>();
  for (const [tenant, { fault }] of Object.entries(faults)) {
    good.set(tenant, await stage.pointerWhere(`a policy of ${tenant}`, ({ users }) => users === 2, { tenant }));
    stage.provider(tenant).fault = parseProviderFault(fault);
  }
  for (const [tenant, { told }] of Object.entries(faults)) {
    await t.test(tenant, async () => {
      await eventually(async () => told.test((await instance.tenant(tenant)).lastError), `${told}`, 60_000);
      const kept = good.get(tenant);
      const now = await stage.pointer(tenant);
      assert.deepEqual({ ...now, checkedAt: 0 }, { ...kept, checkedAt: 0 });
      const { lastErrorAt, revision, users, stale } = await instance.tenant(tenant);
      assert.ok(Number(lastErrorAt) > Date.parse(String(now?.['checkedAt'])), 'it is not confirmed either');
      assert.deepEqual([revision, users, stale], [kept?.revision, 2, false]);
    });
  }
  const { lastErrorAt, nextSyncAt } = await instance.tenant('throttled');
  assert.ok(Number(nextSyncAt) - Number(lastErrorAt) >= 60_000, 'Retry-After is heeded');
  assert.equal(stage.provider('foreign-next').foreign.requests, 0);

  await eventually(async () => {
    const said = (await stage.events()).flatMap((body) => (body.$case === 'policyRejected' ? [body.value] : []));
    return Object.keys(faults).every((tenant) => said.some((one) => one.tenant === tenant));
  }, 'an event of each');
  const rejected = (await stage.events()).flatMap((body) => (body.$case === 'policyRejected' ? [body.value] : []));
  const kinds = rejected.map(({ tenant, reason }) => `${tenant} ${reason}`);
  assert.deepEqual([...new Set(kinds)].sort(), kinds.sort(), 'each kind once, though tried again and again');

  for (const tenant of ['html', 'expired-secret']) stage.provider(tenant).fault = faultless;
  stage.provider('html').setUsers([ada]);
  await stage.pointerWhere('the policy after the fault', ({ users }) => users === 1, { tenant: 'html' });
  await eventually(async () => (await instance.tenant('expired-secret')).lastError === '', 'it syncs again');
  assertNoSecrets(stage);
});

test('a hundred thousand users: pages become one policy, and the lease is kept meanwhile', async (t) => {
  const users = Array.from({ length: 100_000 }, (_, index) => ({
    ...{ id: `u-${index}`, upn: `user${index}@contoso.example`, phone: `+49 30 ${1_000_000 + index}` },
  }));
  const stage = await PolicyStage.open(t, undefined, { users, pageSize: 5_000 });
  if (stage === undefined) return;
  const instance = await stage.start('one');
  await stage.pointerWhere('the policy', (pointer) => pointer.users === users.length, { timeoutMs: 60_000 });
  const { seller } = await instance.explain('+49301099999');
  assert.equal(seller?.id, 'u-99999');
  const { users: page, nextPageToken } = await instance.users({ pageSize: 500 });
  assert.deepEqual([page.length, page[499]?.numbers.length], [500, 1]);
  assert.match(nextPageToken, /:500$/);
  assert.equal(stage.output.filter((line) => line.includes('this instance is active')).length, 1);
});

/** Nothing that any process printed, at level debug, holds a token or the secret. */
function assertNoSecrets({ output }: PolicyStage): void {
  const text = output.join('\n');
  assert.ok(text.length > 1_000);
  assert.doesNotMatch(text, /eyJ[\w-]{10,}/);
  for (const form of [secret, encodeURIComponent(secret)]) assert.ok(!text.includes(form));
}
