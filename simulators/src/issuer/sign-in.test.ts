import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { decodeJwt } from 'jose';
import { IssuerSimulator } from './issuer-simulator.js';

const verifier = 'v'.repeat(43);
const redirectUri = 'http://127.0.0.1:1/';

async function issuerOf(t: TestContext): Promise<IssuerSimulator> {
  const users = [{ oid: 'olga', name: 'Olga & <Co>', roles: ['Sidestream.Operator'] }];
  const issuer = await IssuerSimulator.start({ audience: 'sidestream', users });
  t.after(() => issuer.close());
  return issuer;
}

function authorize(issuer: IssuerSimulator, more: Record<string, string> = {}): Promise<Response> {
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const parameters = {
    response_type: 'code',
    client_id: 'console',
    redirect_uri: redirectUri,
    state: 's 1',
    nonce: 'n1',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  };
  return fetch(`${issuer.issuer}/authorize?${new URLSearchParams(parameters)}`, { redirect: 'manual' });
}

async function redeem(issuer: IssuerSimulator, code: string, more: Record<string, string> = {}) {
  const form = { grant_type: 'authorization_code', client_id: 'console', redirect_uri: redirectUri, code };
  const body = new URLSearchParams({ ...form, code_verifier: verifier, ...more });
  const response = await fetch(`${issuer.issuer}/token`, { method: 'POST', body });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

async function codeOf(issuer: IssuerSimulator, more: Record<string, string> = {}): Promise<string> {
  const back = new URL((await authorize(issuer, { user: 'olga', ...more })).headers.get('location') ?? '');
  assert.equal(back.searchParams.get('state'), 's 1');
  return back.searchParams.get('code') ?? '';
}

test('RFC 7636: who is chosen on the page comes back with a code, which is good for both tokens, once', async (t) => {
  const issuer = await issuerOf(t);
  const page = await (await authorize(issuer)).text();
  assert.match(page, /Olga &#38; &#60;Co&#62;/);
  const code = await codeOf(issuer);
  const { status, body } = await redeem(issuer, code);
  assert.equal(status, 200);
  const access = decodeJwt(body['access_token'] ?? '');
  assert.deepEqual([access['oid'], access.aud, access['roles']], ['olga', 'sidestream', ['Sidestream.Operator']]);
  const id = decodeJwt(body['id_token'] ?? '');
  assert.deepEqual([id.aud, id['nonce']], ['console', 'n1']);
  assert.deepEqual(await redeem(issuer, code), { status: 400, body: { error: 'invalid_grant' } });
});

test('RFC 7636 §4.6: no token without the verifier, or for another client or place', async (t) => {
  const issuer = await issuerOf(t);
  for (const wrong of [{ code_verifier: 'x' }, { client_id: 'another' }, { redirect_uri: 'http://127.0.0.1:2/' }])
    assert.equal((await redeem(issuer, await codeOf(issuer), wrong)).body['error'], 'invalid_grant');
  assert.equal((await redeem(issuer, 'x', { grant_type: 'password' })).body['error'], 'unsupported_grant_type');
  for (const wrong of [{ code_challenge_method: 'plain' }, { response_type: 'token' }, { redirect_uri: 'nowhere' }])
    assert.equal((await authorize(issuer, wrong)).status, 400);
});

test('RFC 6749 §6: offline_access gives a refresh token, good once, for its client, while its session lasts', async (t) => {
  const issuer = await issuerOf(t);
  assert.equal((await redeem(issuer, await codeOf(issuer))).body['refresh_token'], undefined);
  const { body: first } = await redeem(issuer, await codeOf(issuer, { scope: 'openid offline_access' }));
  const renew = async (token = '', client = 'console') => {
    const form = { grant_type: 'refresh_token', refresh_token: token, client_id: client };
    const response = await fetch(`${issuer.issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
    return (await response.json()) as Record<string, string>;
  };
  assert.equal((await renew(first['refresh_token'], 'another'))['error'], 'invalid_grant');
  issuer.signIn.lifetimeS = 90;
  const second = await renew(first['refresh_token']);
  const { oid, roles, exp = 0, iat = 0 } = decodeJwt(second['access_token'] ?? '');
  assert.deepEqual([oid, roles], ['olga', ['Sidestream.Operator']]);
  assert.ok(exp - iat <= 91, 'as long as told');
  assert.equal((await renew(first['refresh_token']))['error'], 'invalid_grant');
  issuer.signIn.renews = false;
  assert.equal((await renew(second['refresh_token']))['error'], 'invalid_grant');
});
