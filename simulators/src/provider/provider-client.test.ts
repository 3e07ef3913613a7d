// The client of the provider API against a provider that behaves, over TLS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProviderClient, ProviderError, type ProviderExchange } from '@sidestream/conversation-intelligence';
import { createAuthority } from '@sidestream/pki';
import {
  clientId,
  count,
  entraTenantId,
  failureOf,
  never,
  registration,
  secret,
  stage,
  users,
} from './provider-client-fixture.js';

test('registers a tenant with exactly the documented keys', async (t) => {
  const { client, simulator } = await stage(t);
  const done = await client.registerTenant(registration, never);
  assert.deepEqual([done.outcome, done.status], ['registered', 201]);
  assert.deepEqual(
    simulator.registrations.map(({ body }) => body),
    [registration],
  );
  assert.deepEqual(simulator.findings, []);
});

test('a registration that the API does not like is told with what the API says, and not repeated', async (t) => {
  const { client, simulator } = await stage(t);
  const error = await failureOf(client.registerTenant({ ...registration, orgId: 'contoso' }, never));
  assert.deepEqual([error.code, error.retryable, error.status], ['rejected', false, 400]);
  assert.match(error.message, /orgId/);
  assert.equal(count(simulator, '/tenants'), 1);
});

test('lists users from a top-level array, and nobody from an empty one', async (t) => {
  const { client, simulator } = await stage(t);
  const list = await client.listUsers(never);
  assert.ok(list !== 'not-modified');
  assert.deepEqual(
    list.users.map(({ id, upn, name, numbers }) => ({ id, upn, name, numbers })),
    [
      { id: 'u-1', upn: 'ada@contoso.example', name: 'Ada', numbers: ['+49 30 1'] },
      { id: 'u-2', upn: 'bob@contoso.example', name: undefined, numbers: [] },
      { id: 'u-3', upn: 'cy@contoso.example', name: undefined, numbers: [] },
    ],
  );
  simulator.setUsers([]);
  const empty = await client.listUsers(never);
  assert.deepEqual(empty !== 'not-modified' && empty.users, []);
});

test('each exchange is told with what it was for and how it ended, the silent ones too', async (t) => {
  const told: ProviderExchange[] = [];
  const seen = () => told.splice(0).map(({ operation, status }) => `${operation} ${status}`);
  const onExchange = (exchange: ProviderExchange) => told.push(exchange);
  const { client, simulator } = await stage(t, { client: { onExchange, retry: { attempts: 1 } } });
  await client.listUsers(never);
  await client.registerTenant(registration, never);
  assert.ok(told.every(({ seconds }) => seconds > 0 && seconds < 60));
  const all = seen();
  assert.deepEqual([...new Set(all)], ['token 200', 'users 200', 'tenants 201']);
  assert.equal(all.at(-1), 'tenants 201');
  await failureOf(client.registerTenant({ ...registration, orgId: 'contoso' }, never));
  assert.deepEqual(seen(), ['tenants 400']);
  await simulator.close();
  await failureOf(client.listUsers(never));
  assert.deepEqual(seen(), ['users unreachable']);
});

test('a probe asks for one page and says whether there are more; what refuses it refuses lists, too', async (t) => {
  const { client, simulator } = await stage(t, { simulator: { pageSize: 2 } });
  assert.deepEqual(await client.probe(never), { users: 2, more: true });
  assert.equal(count(simulator, '/users'), 1);
  const { client: refused } = await stage(t, { fault: 'status=401', client: { retry: { attempts: 1 } } });
  assert.equal((await failureOf(refused.probe(never))).code, 'unauthorized');
});

test('reads every page; the validators of one page vouch for no list of several', async (t) => {
  const { client } = await stage(t, { simulator: { pageSize: 2, maxAgeS: 90 } });
  const list = await client.listUsers(never);
  assert.ok(list !== 'not-modified');
  assert.deepEqual([list.users.length, list.pages, list.maxAgeMs, list.validators], [3, 2, 90_000, {}]);
});

test('an unchanged list is not sent again; a changed one is', async (t) => {
  const { client, simulator } = await stage(t);
  const list = await client.listUsers(never);
  assert.ok(list !== 'not-modified' && list.validators.etag);
  assert.equal(await client.listUsers(never, list.validators), 'not-modified');
  simulator.setUsers(users.slice(1));
  const changed = await client.listUsers(never, list.validators);
  assert.equal(changed !== 'not-modified' && changed.users.length, 2);
});

test('without an ETag of the server no condition is sent', async (t) => {
  const { client, simulator } = await stage(t, { simulator: { etag: false } });
  const list = await client.listUsers(never);
  assert.ok(list !== 'not-modified');
  await client.listUsers(never, list.validators);
  assert.ok(simulator.requests.every(({ headers }) => headers['if-none-match'] === undefined));
});

test('one token serves many calls', async (t) => {
  const { client, simulator } = await stage(t);
  for (let call = 0; call < 3; call += 1) await client.listUsers(never);
  assert.equal(count(simulator, '/token'), 1);
});

test('a certificate proves the app by an assertion that its key has signed', async (t) => {
  const { connect, appCertificate, simulator } = await stage(t);
  const { certificate, key } = appCertificate;
  const client = connect({ credential: { certificatePem: certificate, privateKeyPem: key } });
  assert.ok(await client.listUsers(never));
  const stranger = await (await createAuthority('Other')).issue({ commonName: 'app', key: 'rsa' });
  const other = connect({ credential: { certificatePem: stranger.certificate, privateKeyPem: stranger.key } });
  const error = await failureOf(other.listUsers(never));
  assert.match(error.message, /AADSTS700027.*upload it to the app registration/);
  assert.equal(simulator.findings.length, 1);
});

test('a rotated secret is taken without a new client', async (t) => {
  let current = 'old one';
  const { client } = await stage(t, { client: { credential: { secret: () => current } } });
  const error = await failureOf(client.listUsers(never));
  assert.deepEqual([error.code, error.retryable], ['entra-refused', false]);
  assert.match(error.message, /AADSTS7000215.*secret's value/);
  current = secret;
  assert.ok(await client.listUsers(never));
});

test('tenant, app and resource that Entra does not know are told apart', async (t) => {
  const { connect } = await stage(t);
  const refusals = [
    [{ entraTenantId: 'fabrikam.example' }, /AADSTS90002.*no tenant fabrikam\.example/],
    [{ clientId: 'somebody' }, /AADSTS700016.*somebody is not in the tenant/],
    [{ resourceAppId: '00001111-aaaa-2222-bbbb-3333cccc4444' }, /AADSTS500011.*New-MgServicePrincipal -AppId 00001111/],
  ] as const;
  for (const [change, expected] of refusals)
    assert.match((await failureOf(connect(change).listUsers(never))).message, expected);
});

test('a server of another authority is not spoken to', async (t) => {
  const { connect, simulator } = await stage(t);
  const other = await createAuthority('Other');
  for (const onlyTrust of [false, true]) {
    const error = await failureOf(connect({ trust: other.certificate, onlyTrust }).listUsers(never));
    assert.deepEqual([error.code, error.retryable], ['entra-unreachable', true]);
    assert.match(error.message, /certificate/i);
  }
  assert.equal(simulator.requests.length, 0);
});

test('a call that is called off rejects with the reason at once: while it waits for Entra, for the API, between attempts', async (t) => {
  for (const [fault, place] of [
    ['entra-slow', 'entra'],
    ['slow', 'users'],
    ['status=503', 'log'],
  ] as const) {
    const controller = new AbortController();
    const reason = new Error('shutting down');
    const callOff = (seen: string) => seen === place && setImmediate(() => controller.abort(reason));
    const { connect, simulator } = await stage(t, { fault });
    const client = connect({ retry: { baseMs: 60_000, maxWaitMs: 600_000 }, log: () => callOff('log') });
    simulator.on('request', (request) => callOff(request.place));
    await assert.rejects(client.listUsers(controller.signal), (error) => error === reason, fault);
    const before = simulator.requests.length;
    await assert.rejects(client.listUsers(controller.signal), (error) => error === reason, fault);
    assert.equal(simulator.requests.length, before);
  }
});

test('options that can not work are refused at once, by name', async () => {
  const ec = await (await createAuthority('CA')).issue({ commonName: 'app' });
  const good = { entraTenantId, clientId, credential: { secret: () => secret } };
  const wrong = [
    [{ ...good, entraTenantId: 'common' }, /entraTenantId/],
    [{ ...good, entraTenantId: '../x' }, /entraTenantId/],
    [{ ...good, clientId: '' }, /clientId/],
    [{ ...good, authority: 'http://login.example' }, /authority must be a plain https/],
    [{ ...good, authority: 'https://login.example/tenant' }, /authority/],
    [{ ...good, apiBaseUrl: 'api.example' }, /apiBaseUrl/],
    [{ ...good, trust: 'no PEM' }, /trust/],
    [{ ...good, credential: { certificatePem: ec.certificate, privateKeyPem: ec.key } }, /RSA/],
    [{ ...good, credential: { certificatePem: ec.certificate, privateKeyPem: 'x' } }, /PEM/],
  ] as const;
  for (const [options, expected] of wrong) {
    assert.throws(
      () => new ProviderClient(options),
      (error) => error instanceof ProviderError && error.code === 'misconfigured' && expected.test(error.message),
    );
  }
});
