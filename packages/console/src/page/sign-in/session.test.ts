import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { IssuerFixture, storageWith } from './issuer-fixture.js';
import { Session } from './session.js';

const hour = 3_600_000;
const signedOut = { code: 'signed-out' };

async function sessionOf(t: TestContext, storage: Storage) {
  const issuer = await IssuerFixture.start(t);
  const config = { authority: issuer.url, clientId: 'console', scope: 'openid' };
  return { issuer, session: new Session(config, storage, 'http://console.example/') };
}

test('a token that is about to end is renewed once, however many ask', async (t) => {
  const { issuer, session } = await sessionOf(t, storageWith(30_000, 'r'));
  assert.deepEqual(await Promise.all([session.token(), session.token()]), ['renewed-1', 'renewed-1']);
  assert.equal(await session.token(), 'renewed-1');
  assert.equal(issuer.renewals, 1);
});

test('who signs out while a token is renewed stays signed out', async (t) => {
  const storage = storageWith(30_000, 'r');
  const { issuer, session } = await sessionOf(t, storage);
  const asked = new Promise<ServerResponse>((resolve) => {
    issuer.answer = resolve;
  });
  const token = session.token();
  const response = await asked;
  session.end();
  issuer.renew(response);
  await assert.rejects(token, signedOut);
  await assert.rejects(session.token(), signedOut);
  assert.equal(session.user, undefined);
  assert.equal(storage.getItem('session'), null);
});

test('a token that was refused is renewed although it looked valid; one that was renewed meanwhile is given at once', async (t) => {
  const { issuer, session } = await sessionOf(t, storageWith(hour, 'r'));
  assert.equal(await session.token(), 'first');
  assert.equal(await session.token('first'), 'renewed-1');
  assert.equal(await session.token('first'), 'renewed-1');
  assert.equal(issuer.renewals, 1);
});

test('the issuer’s refusal ends the session; without a refresh token so does a refused token', async (t) => {
  const { issuer, session } = await sessionOf(t, storageWith(hour, 'r'));
  issuer.answer = (response) => issuer.refuse(response);
  await assert.rejects(session.token('first'), signedOut);
  const { session: unrenewable } = await sessionOf(t, storageWith(hour));
  await assert.rejects(unrenewable.token('first'), signedOut);
});

test('an issuer that is down ends nothing: the old token does while it lasts, and later it is asked again', async (t) => {
  const { issuer, session } = await sessionOf(t, storageWith(30_000, 'r'));
  issuer.answer = (response) => issuer.refuse(response, 503);
  assert.equal(await session.token(), 'first');
  await assert.rejects(session.token('first'), { code: 'offline' });
  issuer.answer = (response) => issuer.renew(response);
  assert.equal(await session.token(), 'renewed-3');
});

test('a storage with something else in it: nobody is signed in, and no sign-in was begun here', async (t) => {
  for (const text of ['', '{', '7', 'null']) {
    const storage = storageWith(hour);
    storage.setItem('session', text);
    storage.setItem('journey', text);
    const { session } = await sessionOf(t, storage);
    assert.equal(session.user, undefined, text);
    await assert.rejects(session.token(), signedOut, text);
    await assert.rejects(
      session.complete(new URL('http://console.example/?code=c&state=s')),
      { code: 'refused' },
      text,
    );
  }
});
