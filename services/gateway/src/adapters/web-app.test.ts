import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createLogger } from '@sidestream/service';
import { apiRoutes } from './api-routes.js';
import type { Gate } from './gate.js';
import { type WebAppOptions, webApp } from './web-app.js';
import { WebServer } from './web-server.js';

const olga = { tenant: 'contoso', seller: 'olga', operator: true, expiresAtMs: Date.now() + 600_000 };
const call = { callId: 'c1', recordings: [], voices: [] };

/** The API as it is with nobody behind it; `acts`: who is logged to have acted, and where. */
async function api(t: TestContext) {
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
    gate: { isAllowed: () => true, operator: async () => olga } as Partial<Gate> as Gate,
    routes: apiRoutes({ control: control as never, relays: () => new Map(), records: async () => [], providers: {} }),
    console: undefined,
    log: createLogger({ name: 'gateway', instance: 'test', level: 'info', destination: { write } }),
  } as Partial<WebAppOptions> as WebAppOptions);
  const server = new WebServer({ tls: undefined, fetch: app.fetch as never, upgrade: () => assert.fail('no upgrade') });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  const ask = async (path: string, method = 'GET') => (await fetch(`${url}/api/v1${path}`, { method })).status;
  return { ask, acts };
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
