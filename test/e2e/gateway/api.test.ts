// The API's document and what it says of recorders, relays, policies; security headers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { GatewayStage } from './gateway-stage.js';

test('every path of the OpenAPI document is there, for operators alone', async (t) => {
  const set = await GatewayStage.start(t);
  if (!set) return;
  const { json: document, headers } = await set.api(undefined, '/api/v1/openapi.json');
  assert.equal(document.openapi, '3.1.0');
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'self'/);
  const token = await set.operator();
  const calls = async () => (await set.api(token, '/api/v1/calls')).status;
  await eventually(async () => (await calls()) === 200, 'the gateway has found signalling by its lease');
  const paths = Object.entries<object>(document.paths);
  assert.ok(paths.length >= 11);
  for (const [path, operations] of paths)
    for (const method of Object.keys(operations)) {
      const at = path.replace('{id}', 'nobody').replace('{tenant}', 'contoso');
      const body = method === 'post' ? {} : undefined;
      assert.equal((await set.api(undefined, at, body)).status, 401, `${method} ${path} without a token`);
      const { status, json } = await set.api(token, at, body);
      const expected = at.includes('nobody') ? [404] : at.includes('explain') || at.includes('registr') ? [503] : [200];
      assert.ok(expected.includes(status), `${method} ${path}: ${status} ${JSON.stringify(json)}`);
    }

  const { recorders } = (await set.api(token, '/api/v1/recorders')).json;
  assert.deepEqual([recorders[0].tenant, recorders[0].region, recorders[0].breaker], ['contoso', 'local', 'closed']);
  await eventually(async () => (await set.api(token, '/api/v1/relays')).json.relays.length === 1, 'the relay is seen');
  assert.deepEqual((await set.api(token, '/api/v1/policies')).json.policies, [{ tenant: 'contoso', source: 'file' }]);
  assert.equal((await set.api(undefined, '/console.json')).status, 404);
});
