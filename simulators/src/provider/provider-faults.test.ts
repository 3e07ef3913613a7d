// Each way in which Entra and the provider API may fail, against the real client over TLS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, failureOf, never, registration, stage } from './provider-client-fixture.js';

test('500: tried three times, then told; one good answer in between is enough', async (t) => {
  const { client, simulator } = await stage(t, { fault: 'status=500' });
  const error = await failureOf(client.listUsers(never));
  assert.deepEqual([error.code, error.status, error.retryable], ['server-error', 500, true]);
  assert.match(error.message, /GET https:.*\/providers\/users answers 500.*Simulated failure/);
  assert.equal(count(simulator, '/users'), 3);
  for (const fault of ['status=503x2', 'entra-status=502x2', 'dropx2', 'status=408x2']) {
    const again = await stage(t, { fault });
    assert.ok(await again.client.listUsers(never), fault);
  }
});

test('429 with Retry-After: a short wait is waited for, a long one is the caller’s', async (t) => {
  const short = await stage(t, { fault: 'throttle=0x2' });
  assert.ok(await short.client.listUsers(never));
  const long = await stage(t, { fault: 'throttle=120' });
  const error = await failureOf(long.client.listUsers(never));
  assert.deepEqual([error.code, error.retryable, error.retryAfterMs], ['throttled', true, 120_000]);
  assert.equal(count(long.simulator, '/users'), 1);
});

test('429 with a date, of a clock that is a day ahead: the wait is what was meant', async (t) => {
  const { client } = await stage(t, { fault: 'throttle-date=120,clock-skew=86400' });
  const { retryAfterMs = 0 } = await failureOf(client.listUsers(never));
  assert.ok(retryAfterMs >= 119_000 && retryAfterMs <= 121_000, String(retryAfterMs));
});

test('429 with an absurd Retry-After is bounded', async (t) => {
  const { client } = await stage(t, { fault: 'throttle=999999999' });
  assert.equal((await failureOf(client.listUsers(never))).retryAfterMs, 3_600_000);
});

test('429 of Entra: the wait is told, and the next call asks again', async (t) => {
  const { client, simulator } = await stage(t, { fault: 'entra-throttle=30x1' });
  const error = await failureOf(client.listUsers(never));
  assert.deepEqual([error.code, error.retryAfterMs], ['entra-unreachable', 30_000]);
  assert.ok(await client.listUsers(never));
  assert.equal(count(simulator, '/users'), 1);
});

test('slow: one exchange has a deadline, and so has the whole call', async (t) => {
  const limits = { requestTimeoutMs: 1_000 };
  for (const [fault, code] of [
    ['slow', 'timeout'],
    ['entra-slow', 'entra-unreachable'],
  ] as const) {
    const { client } = await stage(t, { fault, client: { limits, retry: { attempts: 1 } } });
    const error = await failureOf(client.listUsers(never));
    assert.deepEqual([error.code, error.retryable], [code, true]);
    assert.match(error.message, /within 1000 ms/);
  }
  const whole = await stage(t, { fault: 'slow', client: { limits: { callTimeoutMs: 200 } } });
  assert.match((await failureOf(whole.client.listUsers(never))).message, /did not end within 200 ms/);
});

test('truncated and dropped: an answer that breaks off is no list', async (t) => {
  for (const [fault, code] of [
    ['truncated', 'unreachable'],
    ['drop', 'unreachable'],
    ['entra-truncated', 'entra-unreachable'],
    ['entra-drop', 'entra-unreachable'],
  ] as const) {
    const { client } = await stage(t, { fault });
    const error = await failureOf(client.listUsers(never));
    assert.deepEqual([error.code, error.retryable], [code, true], fault);
  }
});

test('truncated answer to a registration: it was done, and doing it again harms nothing', async (t) => {
  const { client, simulator } = await stage(t, { fault: 'truncatedx1' });
  assert.equal((await client.registerTenant(registration, never)).outcome, 'registered');
  assert.equal(simulator.registrations.length, 2);
});

test('garbage, HTML, wrong shape, an error that is called 200, a list that is not whole: no list, and not asked again at once', async (t) => {
  for (const [fault, said] of [
    ['garbage', /no JSON/],
    ['html', /no JSON.*an HTML page, "Service Unavailable"/],
    ['wrong-shape', /no list but an object with status, count/],
    ['error-body', /says that it failed: ServiceBusy: Try again/],
    ['two-lists', /several lists: value, users/],
    ['unknown-next', /nextpagetoken, which is not known how to follow/],
    ['redirect', /answers 307/],
  ] as const) {
    const { client, simulator } = await stage(t, { fault });
    const error = await failureOf(client.listUsers(never));
    assert.deepEqual([error.code, error.retryable], ['bad-answer', true], fault);
    assert.match(error.message, said);
    assert.deepEqual([count(simulator, '/users'), simulator.foreign.requests], [1, 0]);
  }
});

test('HTML as the answer to a registration: some other server said it', async (t) => {
  const { client } = await stage(t, { fault: 'html' });
  const error = await failureOf(client.registerTenant(registration, never));
  assert.deepEqual([error.code, error.retryable], ['bad-answer', true]);
});

test('garbage, HTML and redirects of Entra give no token and take no secret', async (t) => {
  for (const fault of ['entra-garbage', 'entra-html', 'entra-redirect', 'foreign-token-endpoint']) {
    const { client, simulator } = await stage(t, { fault });
    const error = await failureOf(client.listUsers(never));
    assert.match(error.code, /^entra-/, fault);
    assert.deepEqual([count(simulator, '/users'), simulator.foreign.requests], [0, 0]);
  }
});

test('endless paging ends at the limits, with an error and not with a shorter list', async (t) => {
  const { connect, simulator } = await stage(t, { fault: 'endless-paging' });
  const error = await failureOf(connect({ limits: { maxPages: 5 } }).listUsers(never));
  assert.deepEqual([error.code, count(simulator, '/users')], ['bad-answer', 5]);
  assert.match(error.message, /more than 5 pages; none of it was taken/);
  assert.match((await failureOf(connect({ limits: { maxUsers: 3 } }).listUsers(never))).message, /more than 3 users/);
  assert.match((await failureOf(connect({ limits: { maxListBytes: 99 } }).listUsers(never))).message, /than 99 bytes/);
  simulator.fault = {};
  simulator.setUsers(Array.from({ length: 100 }, (_, index) => `user-${index}@contoso.example`));
  assert.match((await failureOf(connect({ limits: { maxBodyBytes: 1500 } }).listUsers(never))).message, /1500 bytes/);
});

test('a next link among other links is followed', async (t) => {
  const { client } = await stage(t, { fault: 'nested-next' });
  const list = await client.listUsers(never);
  assert.deepEqual(list !== 'not-modified' && [list.pages, list.users.map(({ id }) => id)], [2, ['user-1', 'user-2']]);
});

test('a list that holds fewer users than its first page says is none', async (t) => {
  const { client } = await stage(t, { fault: 'count-mismatch' });
  const error = await failureOf(client.listUsers(never));
  assert.deepEqual([error.code, error.retryable], ['bad-answer', true]);
  assert.match(error.message, /said to have 5000 users and holds 2; none of it was taken/);
});

test('paging in a circle is noticed', async (t) => {
  const { client } = await stage(t, { fault: 'circular-paging' });
  assert.match((await failureOf(client.listUsers(never))).message, /leads back to a page/);
});

test('foreign-origin next link: the foreign host gets no request, so no bearer', async (t) => {
  const { client, simulator } = await stage(t, { fault: 'foreign-next' });
  const error = await failureOf(client.listUsers(never));
  assert.equal(error.code, 'bad-answer');
  assert.match(error.message, /leads away from .* to https:.*not followed/);
  assert.deepEqual([simulator.foreign.requests, simulator.foreign.secretsReceived], [0, 0]);
});

test('expired secret: a sentence for the administrator, no retry', async (t) => {
  const { client, simulator } = await stage(t, { fault: 'expired-secret' });
  const error = await failureOf(client.listUsers(never));
  assert.deepEqual([error.code, error.retryable], ['entra-refused', false]);
  assert.match(error.message, /AADSTS7000222.*expired: create a new one/);
  assert.equal(count(simulator, '/token'), 1);
});

test('revoked consent: a warning when the token comes, and 403 that says who has to do what', async (t) => {
  const { client, logs } = await stage(t, { fault: 'revoked-consent' });
  const error = await failureOf(client.listUsers(never));
  assert.deepEqual([error.code, error.retryable, error.status], ['forbidden', false, 403]);
  assert.match(error.message, /administrator must grant admin consent for Users\.Read\.All/);
  assert.equal(logs.filter((line) => /^warn .*lacks the role Users\.Read\.All/.test(line)).length, 1);
});

test('a token for somebody else is warned of, and refused by the API', async (t) => {
  const { client, logs } = await stage(t, { fault: 'wrong-audience' });
  assert.equal((await failureOf(client.listUsers(never))).code, 'unauthorized');
  assert.ok(logs.some((line) => /^warn The token is for "00000003-/.test(line)));
});

test('409 on register: registered already is success, said once', async (t) => {
  const { client, simulator } = await stage(t, { fault: 'conflict' });
  const { outcome, status } = await client.registerTenant(registration, never);
  assert.deepEqual([outcome, status, count(simulator, '/tenants')], ['already-registered', 409, 1]);
});

test('401 once: exactly one new token, then the list', async (t) => {
  const { client, simulator } = await stage(t, { fault: 'refuse-tokenx1' });
  assert.ok(await client.listUsers(never));
  assert.deepEqual([count(simulator, '/token'), count(simulator, '/users')], [2, 2]);
});

test('401 for ever: one new token and no more', async (t) => {
  const { client, simulator } = await stage(t, { fault: 'refuse-token' });
  const error = await failureOf(client.listUsers(never));
  assert.deepEqual([error.code, error.retryable], ['unauthorized', false]);
  assert.match(error.message, /clock/);
  assert.deepEqual([count(simulator, '/token'), count(simulator, '/users')], [2, 2]);
});

test('clock skew of Entra and API alike: calls work, and tokens are cached all the same', async (t) => {
  for (const skew of [-86_400, 86_400]) {
    const { client, simulator } = await stage(t, { fault: `clock-skew=${skew}` });
    await client.listUsers(never);
    await client.listUsers(never);
    assert.equal(count(simulator, '/token'), 1);
  }
});

test('clock skew of the API alone: its refusal costs one new token and is told', async (t) => {
  const { client, simulator } = await stage(t, { fault: 'api-clock-skew=86400' });
  assert.equal((await failureOf(client.listUsers(never))).code, 'unauthorized');
  assert.equal(count(simulator, '/token'), 2);
});

test('clock skew and a certificate: the assertion is out of its time, which is said', async (t) => {
  const { connect, appCertificate } = await stage(t, { fault: 'clock-skew=-3600' });
  const { certificate, key } = appCertificate;
  const client = connect({ credential: { certificatePem: certificate, privateKeyPem: key } });
  assert.match((await failureOf(client.listUsers(never))).message, /AADSTS700024.*set the clock/);
});

test('statuses that only somebody else can change are not retried', async (t) => {
  for (const [status, code] of [
    [404, 'not-found'],
    [403, 'forbidden'],
    [422, 'rejected'],
  ] as const) {
    const { client, simulator } = await stage(t, { fault: `status=${status}` });
    const error = await failureOf(client.registerTenant(registration, never));
    assert.deepEqual([error.code, error.retryable, count(simulator, '/tenants')], [code, false, 1]);
  }
});

test('nobody listens: told at once as unreachable', async (t) => {
  const { connect, simulator } = await stage(t);
  const client = connect({ apiBaseUrl: 'https://127.0.0.1:9' });
  assert.equal((await failureOf(client.listUsers(never))).code, 'unreachable');
  await simulator.close();
  assert.equal((await failureOf(connect().listUsers(never))).code, 'entra-unreachable');
});
