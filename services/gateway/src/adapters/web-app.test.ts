import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createLogger } from '@sidestream/service';
import { apiRoutes } from './api-routes.js';
import { ClientAddress } from './client-address.js';
import { Gate } from './gate.js';
import { type WebAppOptions, webApp } from './web-app.js';
import { WebServer } from './web-server.js';

const olga = { tenant: 'contoso', seller: 'olga', operator: true, expiresAtMs: Date.now() + 600_000 };
const call = { callId: 'c1', recordings: [], voices: [] };

/** The API as it is with nobody behind it; `acts`: who is logged to have acted, and where. */
async function api(t: TestContext, gate?: Gate) {
  const acts: string[] = [];
  const write = (line: string) => {
    const { msg, user, path } = JSON.parse(line);
    if (msg === 'an operator acts') acts.push(`${user} ${path}`);
  };
  const control = {
    calls: async () => ({ calls: [], instances: [], lost: [] }),
    call: async () => ({ call, silent: false }),
    explain: async () => ({ record: true, reason: 'listed', upn: 'ada@contoso.example', numbers: ['+4930123450'] }),
    record: async () => call,
  };
  const app = webApp({
    gate: gate ?? ({ isAllowed: () => true, operator: async () => olga } as Partial<Gate> as Gate),
    routes: apiRoutes({
      control: control as never,
      relays: () => new Map(),
      records: async () => [],
      record: async () => assert.fail('nobody asks for one'),
      providers: {},
    }),
    console: undefined,
    log: createLogger({ name: 'gateway', instance: 'test', level: 'info', destination: { write } }),
  } as Partial<WebAppOptions> as WebAppOptions);
  const server = new WebServer({ tls: undefined, fetch: app.fetch as never, upgrade: () => assert.fail('no upgrade') });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  const ask = async (path: string, method = 'GET') => (await fetch(`${url}/api/v1${path}`, { method })).status;
  return { url, ask, acts };
}

test('who does something to a call, looks at parties in full, or asks whose a number is, is logged; who looks at what is masked is not', async (t) => {
  const { ask, acts } = await api(t);
  for (const path of ['/calls', '/calls/c1', '/records']) assert.equal(await ask(path), 200, path);
  assert.deepEqual(acts, []);
  const told = ['/calls?reveal=true', '/calls/c1?reveal=true', '/policies/contoso/explain?address=%2B4930123450'];
  for (const path of told) assert.equal(await ask(path), 200, path);
  assert.equal(await ask('/calls/c1/recording/pause', 'POST'), 200);
  assert.deepEqual(acts, [
    'olga /api/v1/calls',
    'olga /api/v1/calls/c1',
    'olga /api/v1/policies/contoso/explain',
    'olga /api/v1/calls/c1/recording/pause',
  ]);
});

test('a body that is too large, no JSON, or not what it must be, is refused with the code for that', async (t) => {
  const { url } = await api(t);
  const end = async (body: string) => {
    const response = await fetch(`${url}/api/v1/calls/c1/end`, { method: 'POST', body });
    const { status, code } = JSON.parse(await response.text());
    return [response.status, status, code];
  };
  assert.deepEqual(await end(JSON.stringify({ reason: 'x'.repeat(5_000) })), [413, 413, 'too-large']);
  for (const body of ['{', '[]', '{"reason":7}', '{"other":""}', JSON.stringify({ reason: 'x'.repeat(101) })])
    assert.deepEqual(await end(body), [400, 400, 'malformed'], body);
});

test('who asks too often, as a user or from an address, is told when to ask again', async (t) => {
  for (const [limited, what] of [
    [{ requestsPerSecond: 1, requestsPerSecondOfAddress: 1_000 }, 'the user'],
    [{ requestsPerSecond: 1_000, requestsPerSecondOfAddress: 1 }, 'the address'],
  ] as const) {
    const tokens = { verify: async () => olga };
    const addresses = new ClientAddress([]);
    const { url } = await api(t, new Gate({ tokens, origins: [], publicUrl: undefined, addresses, limits: limited }));
    const ask = () => fetch(`${url}/api/v1/relays`, { headers: { authorization: 'Bearer t' } });
    const answers = [];
    // The burst is two.
    while (answers.at(-1)?.status !== 429 && answers.length < 50) answers.push(await ask());
    const last = answers.at(-1);
    assert.deepEqual([answers[0]?.status, last?.status, last?.headers.get('retry-after')], [200, 429, '1'], what);
    assert.match((await last?.text()) ?? '', /"code":"too-many-requests"/);
  }
});
