import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProviderFault } from './fault-names.js';
import { failureOf, never, registration, secret, stage, users } from './provider-client-fixture.js';

test('keys that the documents do not have are reported, and the registration is taken', async (t) => {
  const { client, simulator } = await stage(t);
  await client.registerTenant({ ...registration, orgID: registration.orgId }, never);
  assert.deepEqual(
    simulator.findings.map(({ name, where }) => [name, where]),
    [['body-key-unknown', 'POST /api/v1.0/providers/tenants']],
  );
  assert.equal(simulator.registrations.length, 1);
});

test('a key that is missing or misspelt is refused and reported by its place', async (t) => {
  const { client, simulator } = await stage(t);
  const { CertificateSubjectName, ...rest } = registration.AuthenticationDetails;
  const misspelt = { ...rest, CerfificateSubjectName: CertificateSubjectName };
  const error = await failureOf(client.registerTenant({ ...registration, AuthenticationDetails: misspelt }, never));
  assert.match(error.message, /AuthenticationDetails\.CertificateSubjectName/);
  assert.deepEqual(simulator.findings.map(({ name }) => name).sort(), ['body-key-unknown', 'body-value']);
  assert.equal(simulator.registrations.length, 0);
});

test('a network where one address is documented is reported and taken', async (t) => {
  const { client, simulator } = await stage(t);
  const details = { ...registration.AuthenticationDetails, SourceIPNetwork: '203.0.113.0/24' };
  await client.registerTenant({ ...registration, AuthenticationDetails: details }, never);
  assert.match(simulator.findings[0]?.text ?? '', /SourceIPNetwork.*203\.0\.113\.0\/24/);
});

test('requests are remembered without what proves their sender', async (t) => {
  const { client, simulator } = await stage(t);
  await client.listUsers(never);
  assert.deepEqual(
    simulator.requests.map(({ place, method, status }) => [place, method, status]),
    [
      ['entra', 'GET', 200],
      ['entra', 'POST', 200],
      ['users', 'GET', 200],
    ],
  );
  assert.equal(simulator.requests.at(-1)?.headers['authorization'], 'Bearer [redacted]');
  assert.ok(!JSON.stringify(simulator.requests).includes(secret));
});

test('users and faults change while it runs', async (t) => {
  const { client, simulator } = await stage(t, { simulator: { pageSize: 10 } });
  simulator.fault = parseProviderFault('status=404');
  assert.equal((await failureOf(client.listUsers(never))).code, 'not-found');
  simulator.fault = parseProviderFault('');
  simulator.setUsers([...users, 'dan@contoso.example']);
  const list = await client.listUsers(never);
  assert.equal(list !== 'not-modified' && list.users.at(-1)?.upn, 'dan@contoso.example');
});

test('a path that is not there, no bearer, a forged one: refused and reported', async (t) => {
  const { client, simulator, connect } = await stage(t);
  await client.listUsers(never);
  assert.equal((await failureOf(connect({ apiBaseUrl: `${simulator.origin}/v2` }).listUsers(never))).code, 'not-found');
  assert.deepEqual(
    simulator.findings.map(({ name, where }) => [name, where]),
    [['unknown-path', 'GET /v2/api/v1.0/providers/users']],
  );
});

test('faults are read from names for command lines', () => {
  assert.equal(parseProviderFault('clock-skew=-30,api-clock-skew=5').skewMs?.api, -25_000);
  for (const wrong of ['toString', 'status=x', 'status=500x', 'entra-conflict', 'slow=1.5'])
    assert.throws(() => parseProviderFault(wrong), RangeError, wrong);
});
