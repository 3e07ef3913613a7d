// The API's document and what it says of recorders, relays, policies; security headers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { listedSeller } from '@sidestream/cli';
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
  const open = ['/api/v1/openapi.json', '/api/v1/events'];
  const paths = Object.entries<object>(document.paths).filter(([path]) => !open.includes(path));
  assert.ok(paths.length >= 11);
  for (const [path, operations] of paths)
    for (const method of Object.keys(operations)) {
      const at = path.replace('{id}', 'nobody').replace('{tenant}', 'contoso');
      const body = method === 'post' ? {} : undefined;
      assert.equal((await set.api(undefined, at, body)).status, 401, `${method} ${path} without a token`);
      const { status, json } = await set.api(token, at, body);
      // Explain needs a number.
      const expected = at.includes('nobody') ? [404] : at.includes('explain') ? [400] : [200];
      assert.ok(expected.includes(status), `${method} ${path}: ${status} ${JSON.stringify(json)}`);
    }

  const { recorders } = (await set.api(token, '/api/v1/recorders')).json;
  assert.deepEqual([recorders[0].tenant, recorders[0].region, recorders[0].state], ['contoso', 'local', 'healthy']);
  await eventually(async () => (await set.api(token, '/api/v1/relays')).json.relays.length === 1, 'the relay is seen');
  const [policy] = (await set.api(token, '/api/v1/policies')).json.policies;
  assert.deepEqual([policy.source, policy.users], ['file', 1]);
  const explain = async (tenant: string, number: string) =>
    set.api(token, `/api/v1/policies/${tenant}/explain?address=${encodeURIComponent(number)}`);
  const listed = (await explain('contoso', listedSeller.number)).json;
  assert.deepEqual(
    [listed.record, listed.reason, listed.seller.id, listed.revision],
    [true, 'listed', listedSeller.id, policy.revision],
  );
  assert.equal((await explain('contoso', '+4915112345678')).json.reason, 'not-listed');
  assert.equal((await explain('fabrikam', listedSeller.number)).status, 404);
  assert.equal((await set.api(token, '/api/v1/records?limit=0')).status, 400);
  assert.equal((await set.api(undefined, '/console.json')).status, 404);
});

test('both voices of a call are seen to flow while somebody looks, and not to the recorder while it is paused', async (t) => {
  const set = await GatewayStage.start(t);
  if (!set) return;
  const { stage } = set;
  const token = await set.operator();
  await stage.inbound();
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  const { callId = '' } = stage.laboratory.bodies('callStarted')[0] ?? {};
  const at = `/api/v1/calls/${callId}`;
  await eventually(async () => (await set.api(token, at)).status === 200, 'the gateway has found signalling');
  assert.deepEqual((await set.api(token, at)).json.voices, [], 'nobody asked');

  const rates = (voices: { party: string; packetsPerSecond: number }[]) =>
    Object.fromEntries(voices.map(({ party, packetsPerSecond }) => [party, packetsPerSecond]));
  /** Both parties send 50 packets a second; on a busy machine some of them come late. */
  const flow = (voices: Parameters<typeof rates>[0]) => {
    const { customer = 0, seller = 0 } = rates(voices);
    return [customer, seller].every((rate) => rate > 35 && rate < 65);
  };
  const call = async () => (await set.api(token, `${at}?activity=true`)).json;
  await eventually(async () => {
    const { voices, recordings } = await call();
    return flow(voices) && flow(recordings[0].voices);
  }, 'both voices flow, to the recorder, too');
  await eventually(async () => {
    const [listed] = (await set.api(token, '/api/v1/calls?activity=true')).json.calls;
    return listed.callId === callId && flow(listed.voices);
  }, 'the list says so, too');

  assert.equal((await set.api(token, `${at}/recording/pause`, {})).status, 200);
  // Who looks within a second sees what was seen before.
  await delay(1_000);
  assert.deepEqual(rates((await call()).recordings[0].voices), { customer: 0, seller: 0 });
  await eventually(async () => flow((await call()).voices), 'the parties’ voices flow on');
});
