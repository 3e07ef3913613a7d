// Bad input at the gateway: refused with the right code, logged without the token, and nothing leaks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { Dialer } from './dialer.js';
import { GatewayStage } from './gateway-stage.js';

test('bad tokens, frames, ids and origins are refused with their codes, over WebSocket and HTTP; no log line has a token', async (t) => {
  const lines: string[] = [];
  const set = await GatewayStage.start(t, { onLog: (line) => lines.push(line) });
  if (!set) return;
  const good = await set.token();
  const tokens: Record<string, string> = {
    expired: await set.token({ expiresInS: -120 }),
    'wrong-audience': await set.token({ aud: 'another' }),
    'bad-signature': await set.token({ signature: 'other-key' }),
    'bad-algorithm': await set.token({ signature: 'none' }),
    'unknown-issuer': await set.token({ claims: { iss: 'https://issuer.example' } }),
    malformed: 'not.a.token',
  };
  const closing = async (dialer: Dialer) => {
    await eventually(() => dialer.closed !== undefined, 'the dialer is closed');
    return dialer.closed?.code;
  };
  for (const [reason, token] of Object.entries(tokens)) {
    const dialer = new Dialer(set.url, token);
    assert.equal(await closing(dialer), 4401, reason);
    assert.equal(dialer.closed?.reason, reason);
    const answer = await set.api(token, '/dialer/v1/events', undefined, { accept: 'text/event-stream' });
    assert.deepEqual([answer.status, answer.json.code], [401, reason]);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  }
  const hmac = new Dialer(set.url, await set.token({ signature: 'hmac' }));
  assert.equal(await closing(hmac), 4401);

  assert.equal(await closing(new Dialer(set.url, good, { lastEventId: '999999999' })), 4409);
  assert.equal(await closing(new Dialer(set.url, good, { lastEventId: "1' or" })), 4409);
  assert.equal(await closing(new Dialer(set.url, good, { origin: 'https://evil.example' })), 4403);
  assert.equal(await closing(new Dialer(set.url)), 4408);
  for (const frame of [
    '{',
    '[]',
    '{"type":"hello"}',
    JSON.stringify({ type: 'authenticate', token: 7 }),
    'x'.repeat(20_000),
  ]) {
    const dialer = new Dialer(set.url);
    dialer.socket.on('open', () => dialer.socket.send(frame));
    const code = await closing(dialer);
    assert.ok(code === 4400 || (code === 1009 && frame.length > 16_384), `${frame.slice(0, 20)}: ${code}`);
  }

  const future = await set.api(good, '/dialer/v1/events', undefined, { 'last-event-id': '999999999' });
  assert.equal(future.status, 409);
  assert.equal((await set.api(good, '/api/v1/calls')).json.code, 'not-an-operator');
  assert.equal((await set.api(undefined, '/api/v1/calls')).status, 401);
  const evil = await set.api(await set.operator(), '/api/v1/calls', undefined, { origin: 'https://evil.example' });
  assert.equal(evil.status, 403);
  assert.equal(evil.headers.get('access-control-allow-origin'), null);
  assert.equal((await set.api(undefined, '/nothing')).status, 404);

  // A key that the issuer has just begun to use is known at once, and after all this a good token still is.
  await set.issuer.rotate();
  const dialer = await Dialer.open(set.url, await set.token());
  assert.equal(dialer.frames[0]?.type, 'authenticated');
  await dialer.close();
  const open = () => set.stage.laboratory.metric('gateway', 'sidestream_gateway_connections');
  await eventually(async () => (await open()) === 0, 'no connection is left', 15_000);
  for (const reason of [...Object.keys(tokens), 'unknown lastEventId', 'origin not allowed', 'malformed frame'])
    assert.ok(
      lines.some((line) => line.includes(`"reason":"${reason}"`)),
      `${reason} is not in the log`,
    );
  for (const token of [good, ...Object.values(tokens)])
    assert.ok(!lines.some((line) => line.includes(token)), 'a token is in the log');
});
