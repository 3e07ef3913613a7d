// An issuer that is down for a while, and tokens that nobody has signed.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { createLogger } from '@sidestream/service';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { IssuerTokens } from './tokens.js';

const audience = 'sidestream';
const log = createLogger({ name: 'gateway', instance: 'test', level: 'silent' });

async function issuerOf(t: TestContext) {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' }] };
  const state: { down: boolean; asked: number; answer?: string } = { down: false, asked: 0 };
  const server = createServer((request, response) => {
    state.asked += 1;
    const document = request.url === '/jwks' ? keys : { issuer, jwks_uri: `${issuer}/jwks` };
    response.writeHead(state.down ? 503 : 200).end(state.answer ?? JSON.stringify(document));
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const good = await new SignJWT({ oid: 'ada' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime('5m')
    .sign(privateKey);
  /** Signed by somebody else, under a key that nobody knows. */
  const forged = await new SignJWT({ oid: 'eve' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k2' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime('5m')
    .sign((await generateKeyPair('RS256')).privateKey);
  const unsigned = new UnsecuredJWT({ oid: 'eve' }).setIssuer(issuer).encode();
  const tokensOf = (jwksUri?: string, keyTimes?: { liveMs: number; keptMs: number }) => {
    const claims = { sellerClaim: 'oid', operatorRole: 'Sidestream.Operator' };
    return new IssuerTokens([{ tenant: 'contoso', issuer, audience, ...claims, jwksUri }], log, keyTimes);
  };
  const outcome = (tokens: IssuerTokens, token: string) =>
    tokens.verify(token).then(
      ({ seller }) => seller,
      ({ reason }: { reason: string }) => reason,
    );
  return { issuer, state, good, forged, unsigned, tokensOf, outcome };
}

for (const how of ['discovery', 'jwksUri'])
  test(`while an issuer is down forged tokens make nobody ask it each time; it is asked again when it may be back (${how})`, async (t) => {
    const { issuer, state, good, forged, unsigned, tokensOf, outcome } = await issuerOf(t);
    const tokens = tokensOf(how === 'jwksUri' ? `${issuer}/jwks` : undefined);
    state.down = true;
    for (let n = 0; n < 100; n += 1) {
      const refusal = await outcome(tokens, n % 2 === 0 ? forged : unsigned);
      assert.ok(['issuer-unavailable', 'bad-algorithm'].includes(refusal), refusal);
    }
    assert.ok(state.asked > 0 && state.asked < 15, `asked ${state.asked} times`);
    state.down = false;
    await eventually(async () => (await outcome(tokens, good)) === 'ada', 'a good token is taken again', 30_000);
  });

test('keys that are known are used while the issuer is down, whatever others ask for', async (t) => {
  const { state, good, forged, tokensOf, outcome } = await issuerOf(t);
  const tokens = tokensOf();
  assert.equal(await outcome(tokens, good), 'ada');
  state.down = true;
  for (let n = 0; n < 30; n += 1) await outcome(tokens, forged);
  assert.equal(await outcome(tokens, good), 'ada');
});

test('keys that are no longer fresh are used while the issuer is down, for a day at most', async (t) => {
  const { state, good, forged, tokensOf, outcome } = await issuerOf(t);
  const [kept, forgotten] = [86_400_000, -1].map((keptMs) => tokensOf(undefined, { liveMs: 0, keptMs }));
  assert.ok(kept && forgotten);
  assert.deepEqual([await outcome(kept, good), await outcome(forgotten, good)], ['ada', 'ada']);
  state.down = true;
  assert.deepEqual([await outcome(kept, good), await outcome(forgotten, good)], ['ada', 'issuer-unavailable']);
  assert.equal(await outcome(kept, forged), 'issuer-unavailable', 'its key may be a new one');
  state.answer = '{"error":"maintenance"}';
  state.down = false;
  assert.equal(await outcome(kept, good), 'ada');
});
