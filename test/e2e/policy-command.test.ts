// `sidestream policy` on a running policy-sync: what people and programs see, and what comes of bad identities files.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { parseProviderFault } from '@sidestream/simulators';
import { ada, bob, PolicyStage } from './policy-stage.js';

test('status, users, explain and sync, for people and for programs', async (t) => {
  const stage = await PolicyStage.open(t);
  if (stage === undefined) return;
  const instance = await stage.start('one');
  const { revision } = await stage.pointerWhere('the policy', ({ users }) => users === 2);

  const status = await stage.cli('status');
  assert.equal(status.code, 0, status.stderr);
  assert.match(status.stdout, new RegExp(`contoso +│ good +│ ${revision} +│ 2 +│ 0`));
  assert.match(status.stdout, /answered by one, the active instance/);
  const json = await stage.cli('status', '--tenant', 'contoso', '--json');
  assert.deepEqual(
    JSON.parse(json.stdout).tenants.map((one: Record<string, unknown>) => [
      one['tenant'],
      one['revision'],
      one['users'],
    ]),
    [['contoso', revision, 2]],
  );

  const users = await stage.cli('users');
  assert.match(users.stdout, /u-ada +│ Ada Berger +│ ada@contoso\.example +│ \+4930901820/);
  assert.match(users.stdout, new RegExp(`2 users of contoso, revision ${revision}\n`));
  const first = JSON.parse((await stage.cli('users', '--limit', '1', '--json')).stdout);
  assert.deepEqual([first.users.length, first.more], [1, true]);

  const listed = await stage.cli('explain', '+49 30 901820');
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /^Recorded: \+4930901820 names Ada Berger \(u-ada\) in policy .* recorders: eastus\.\n/);
  const unlisted = await stage.cli('explain', 'sip:someone@pbx.example', '--address', instance.addresses['grpc'] ?? '');
  assert.equal(unlisted.code, 0);
  assert.match(unlisted.stdout, /^Not recorded: policy .* with 2 users names nobody by sip:someone@pbx\.example\.\n/);
  const both = JSON.parse((await stage.cli('explain', '+4930901820', '--other', '+4915112345678', '--json')).stdout);
  assert.deepEqual([both.record, both.reason, both.seller.id], [true, 'listed-both', 'u-ada']);
  assert.match((await stage.cli('explain', '901820')).stdout, /neither an international number .* nor a SIP address/);

  stage.provider().setUsers([ada]);
  const synced = await stage.cli('sync');
  assert.equal(synced.code, 0, synced.stderr);
  assert.match(synced.stdout, /^contoso: revision \w+ of 1 users, (new|unchanged)\n$/);
  stage.provider().fault = parseProviderFault('revoked-consent');
  const refused = await stage.cli('sync');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^sidestream: forbidden: .*consent/);
});

test('who asks wrongly, or nobody, is told what is missing', async (t) => {
  const stage = await PolicyStage.open(t, { contoso: {}, fabrikam: {} });
  if (stage === undefined) return;
  const nobody = await stage.cli('status');
  assert.equal(nobody.code, 1);
  assert.match(
    nobody.stderr,
    /^sidestream: no policy-sync instance is running: NATS at nats:.* has no lease policy-sync\.\*\n$/,
  );
  await stage.start('one');
  const which = await stage.cli('explain', '+4930901820');
  assert.deepEqual([which.code, which.stderr], [2, 'sidestream: --tenant is needed: one of contoso, fabrikam\n']);
  for (const command of [['status'], ['users'], ['explain', '+4930901820'], ['sync']]) {
    const unknown = await stage.cli(...command, '--tenant', 'nobody');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /no tenant 'nobody' .*contoso, fabrikam/);
  }
  for (const command of [[], ['fly']]) assert.equal((await stage.cli(...command)).code, 2);
  const refused = await stage.cli('status', '--address', '127.0.0.1:1');
  assert.deepEqual(
    [refused.code, refused.stderr],
    [1, "sidestream: policy-sync at 127.0.0.1:1 can't be reached: connect ECONNREFUSED 127.0.0.1:1\n"],
  );
  await stage.nats.stop();
  const away = await stage.cli('status');
  assert.equal(away.code, 1);
  assert.match(away.stderr, /NATS at .* doesn't answer/);
});

test('who asks for a sync while the active instance is dead is served by the one that takes over', async (t) => {
  const stage = await PolicyStage.open(t);
  if (stage === undefined) return;
  const one = await stage.start('one');
  await stage.pointerWhere('the policy', ({ users }) => users === 2);
  const two = await stage.start('two');
  assert.deepEqual([(await one.status()).active, (await two.status()).active], [true, false]);
  one.service.kill('SIGKILL');
  stage.provider().setUsers([ada]);
  const synced = await stage.cli('sync');
  assert.equal(synced.code, 0, synced.stderr);
  assert.match(synced.stdout, /^contoso: revision \w+ of 1 users, /);
  assert.equal((await two.status()).active, true);
});

test('a page of an older revision is refused', async (t) => {
  const stage = await PolicyStage.open(t);
  if (stage === undefined) return;
  const instance = await stage.start('one');
  await stage.pointerWhere('the policy', ({ users }) => users === 2);
  const { nextPageToken } = await instance.users({ pageSize: 1 });
  assert.deepEqual(
    (await instance.users({ pageSize: 1, pageToken: nextPageToken })).users.map(({ id }) => id),
    ['u-bob'],
  );
  stage.provider().setUsers([ada, bob, { id: 'u-cy' }]);
  await stage.pointerWhere('the next policy', ({ users }) => users === 3);
  await assert.rejects(instance.users({ pageToken: nextPageToken }), {
    code: 'policy-changed',
    message: /begin again/,
  });
});

test('a bad identities file: every bad row is told with its line, and the good ones count or none, as it is set', async (t) => {
  const rows = 'user,numbers\nu-bob,+49 30 111111\nu-ada,nonsense\n,+49 30 222222\nada@contoso.example,+4930333*\n';
  const policies = {
    skipping: { identitiesFile: 'identities.csv' },
    refusing: { identitiesFile: 'identities.csv', identityErrors: 'refuse' },
  };
  const stage = await PolicyStage.open(t, policies);
  if (stage === undefined) return;
  const file = join(stage.directory, 'identities.csv');
  writeFileSync(file, rows);
  const instance = await stage.start('one');
  await stage.pointerWhere('the policy', ({ users }) => users === 2, { tenant: 'skipping' });
  const status = await stage.cli('status', '--tenant', 'skipping');
  assert.match(
    status.stdout,
    /skipping: 2 of the users or identities can't be used\n {2}line 3: .*nonsense.*\n {2}line 4: /,
  );
  assert.equal((await instance.explain('+4930111111', { tenant: 'skipping' })).seller?.id, 'u-bob');
  const prefix = await instance.explain('+4930333777', { tenant: 'skipping' });
  assert.deepEqual([prefix.seller?.id, prefix.matched], ['u-ada', '+4930333*']);

  await eventually(async () => (await instance.tenant('refusing')).lastError !== '', 'it is refused');
  assert.match((await instance.tenant('refusing')).lastError, /^identities-refused: [\s\S]*line 3: [\s\S]*line 4: /);
  const none = await instance.explain('+4930111111', { tenant: 'refusing' });
  assert.equal(none.reason, 'no-policy');
  assert.equal((await stage.cli('status', '--tenant', 'refusing')).code, 1);

  // However many are bad, the log names each.
  const many = Array.from({ length: 250 }, (_, index) => `u-${index},nonsense\n`);
  writeFileSync(file, `user,numbers\n${many.join('')}`);
  const places = many.map((_, index) => `line ${index + 2}`);
  for (const tenant of ['skipping', 'refusing']) {
    const logged = () =>
      stage.output
        .filter((line) => line.includes('could not be used') && line.includes(`"tenant":"${tenant}"`))
        .flatMap((line): string[] => JSON.parse(line).problems)
        .filter((problem) => problem.includes('nonsense'))
        .map((problem) => problem.split(':')[0] ?? '');
    await eventually(() => places.every((place) => logged().includes(place)), `each row of ${tenant}`);
  }
  await eventually(async () => (await instance.tenant('skipping')).problemCount === 250, 'the status tells of them');
  const long = await stage.cli('status', '--tenant', 'skipping');
  assert.match(long.stdout, /skipping: 250 of .*\n {2}line 2: [\s\S]* {2}line 21: .*\n {2}and 230 more: see the log/);
  assert.match((await instance.tenant('refusing')).lastError, /line 101: .*\n {2}and 150 more$/);

  // Mended, it is read again.
  writeFileSync(file, 'user,numbers\nu-bob,+49 30 444444\n');
  for (const tenant of ['skipping', 'refusing']) {
    await eventually(async () => (await instance.explain('+4930444444', { tenant })).reason === 'listed', tenant);
  }
});
