// The gateway behind TLS of its own, with an issuer behind TLS, both of private authorities: a real gateway process and real calls.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { WebSocket } from 'ws';
import { EventReader } from './event-reader.js';
import { GatewayStage } from './gateway-stage.js';

/** Each has an authority of its own. */
async function secureStage(t: TestContext) {
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  const files = async (name: string) => {
    const authority = await createAuthority(`Authority of the ${name}`);
    return folder.write(await authority.issue({ commonName: name, ipAddresses: ['127.0.0.1'] }), name);
  };
  const secure = { issuer: await files('issuer'), gateway: await files('gateway') };
  const set = await GatewayStage.start(t, { secure });
  return set && { set, ca: readFileSync(secure.gateway.trustFile, 'utf8'), issuerCa: secure.issuer.trustFile };
}

test('server-sent events with tokens of the issuer: in order, resumed by Last-Event-ID, until the token ends', async (t) => {
  const secure = await secureStage(t);
  if (!secure) return;
  const { set, ca } = secure;
  const at = `${set.url}/dialer/v1/events`;
  assert.match(at, /^https:/);
  const first = await EventReader.open(at, ca, await set.token());
  assert.deepEqual([first.status, first.type], [200, 'text/event-stream']);
  await eventually(() => first.lastEventId !== '', 'it is told from where it resumes');
  const call = await set.stage.inbound();
  await eventually(() => first.events.length === 1, 'it hears of the start');
  const [started] = first.events;
  assert.equal(started?.event, 'WIDGET_CALL_STARTED');
  assert.equal(started?.data['callId'], set.stage.laboratory.recorder.sessions[0]?.callId);
  first.close();

  await call.customer.hangUp();
  await set.stage.nothingIsLeft();
  const again = await EventReader.open(at, ca, await set.token(), first.lastEventId);
  await eventually(() => again.events.length === 1, 'it hears what it has missed');
  const [ended] = again.events;
  assert.equal(ended?.event, 'WIDGET_CALL_ENDED');
  assert.deepEqual([ended?.data['callId'], ended?.data['isCallStarted']], [started?.data['callId'], true]);
  assert.ok(Number(ended?.id) > Number(started?.id));
  again.close();

  const other = await EventReader.open(at, ca, await set.token({ oid: 'somebody-else' }), '0');
  const expiring = await EventReader.open(at, ca, await set.token({ expiresInS: 3 }));
  assert.deepEqual([other.status, expiring.status], [200, 200]);
  await eventually(() => expiring.ended, 'the stream ends with its token', 10_000);
  assert.deepEqual(other.events, [], 'the calls of others are not told');
  other.close();
  for (const [token, id, status] of [
    [await set.token({ expiresInS: -120 }), undefined, 401],
    [await set.token({ signature: 'other-key' }), undefined, 401],
    [await set.token({ aud: 'another' }), undefined, 401],
    [await set.token(), '999999999', 409],
    [await set.token(), 'nonsense', 409],
  ] as const) {
    const refused = await EventReader.open(at, ca, token, id);
    assert.deepEqual([refused.status, refused.type], [status, 'application/problem+json']);
  }
});

test('a WebSocket over TLS is let in; who does not trust the certificate, or speaks in clear, has no connection', async (t) => {
  const secure = await secureStage(t);
  if (!secure) return;
  const { set, ca, issuerCa } = secure;
  const at = `${set.url.replace(/^http/, 'ws')}/dialer/v1/events`;
  const outcome = (url: string, trust: string, token: string) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(url, { ca: trust });
      socket.on('open', () => socket.send(JSON.stringify({ type: 'authenticate', token })));
      socket.on('message', (data) => {
        resolve(JSON.parse(String(data)).type);
        socket.terminate();
      });
      socket.on('close', (code) => resolve(String(code)));
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  const token = await set.token();
  assert.equal(await outcome(at, ca, token), 'authenticated');
  assert.equal(await outcome(at, ca, await set.token({ signature: 'other-key' })), '4401');
  assert.match(await outcome(at, readFileSync(issuerCa, 'utf8'), token), /CERT|VERIFY|SELF_SIGNED/);
  assert.match(await outcome(at.replace(/^wss/, 'ws'), ca, token), /ECONNRESET|EPIPE|socket hang up|HPE_/);
});
