import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { type IssuerOptions, IssuerSimulator } from './issuer-simulator.js';

async function issuerOf(t: TestContext, options: Partial<IssuerOptions> = {}): Promise<IssuerSimulator> {
  const issuer = await IssuerSimulator.start({ audience: 'sidestream', ...options });
  t.after(() => issuer.close());
  return issuer;
}

/** Verifies as a receiver would that has just started: by discovery, then by the published keys. */
async function verify(issuer: IssuerSimulator, token: string) {
  const response = await fetch(`${issuer.issuer}/.well-known/openid-configuration`);
  const { jwks_uri, issuer: name } = (await response.json()) as { jwks_uri: string; issuer: string };
  const keys = createRemoteJWKSet(new URL(jwks_uri));
  return (await jwtVerify(token, keys, { issuer: name, audience: 'sidestream', algorithms: ['RS256', 'ES256'] }))
    .payload;
}

for (const algorithm of ['RS256', 'ES256'] as const)
  test(`a token of ${algorithm} is verified by the keys that discovery names`, async (t) => {
    const issuer = await issuerOf(t, { algorithm });
    const payload = await verify(issuer, await issuer.mint({ oid: 'ada', roles: ['Sidestream.Operator'] }));
    assert.equal(payload['oid'], 'ada');
    assert.deepEqual(payload['roles'], ['Sidestream.Operator']);
    assert.equal(payload.aud, 'sidestream');
  });

test('after a rotation new tokens have a new key, and old ones are good until their key is withdrawn', async (t) => {
  const issuer = await issuerOf(t);
  const old = await issuer.mint({ oid: 'ada' });
  await issuer.rotate();
  const young = await issuer.mint({ oid: 'ada' });
  assert.notEqual(decodeProtectedHeader(young).kid, decodeProtectedHeader(old).kid);
  await verify(issuer, old);
  await verify(issuer, young);
  await issuer.rotate({ withdrawOld: true });
  await assert.rejects(verify(issuer, young), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
});

test('bad tokens are bad in the way that was asked for', async (t) => {
  const issuer = await issuerOf(t);
  const fails = async (options: object, code: string) =>
    assert.rejects(verify(issuer, await issuer.mint({ oid: 'ada', ...options })), { code }, code);
  await fails({ expiresInS: -60 }, 'ERR_JWT_EXPIRED');
  await fails({ notBeforeInS: 600 }, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
  await fails({ aud: 'another' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
  await fails({ signature: 'other-key' }, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
  await fails({ signature: 'hmac' }, 'ERR_JOSE_ALG_NOT_ALLOWED');
  await fails({ signature: 'none' }, 'ERR_JOSE_ALG_NOT_ALLOWED');
});

test('an issuer that is down answers 503, and pages of other origins may read what it answers', async (t) => {
  const issuer = await issuerOf(t);
  const up = await fetch(`${issuer.issuer}/jwks`);
  assert.equal(up.headers.get('access-control-allow-origin'), '*');
  assert.equal(issuer.jwksRequests, 1);
  issuer.available = false;
  assert.equal((await fetch(`${issuer.issuer}/jwks`)).status, 503);
  assert.equal(issuer.jwksRequests, 1);
});
