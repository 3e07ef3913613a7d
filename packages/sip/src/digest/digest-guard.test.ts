// A server's guard against a client's login and against hostile clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DigestHash } from './algorithm.js';
import { parseChallenges } from './challenge.js';
import { DigestGuard, type DigestGuardOptions, type DigestVerdict } from './digest-guard.js';
import { DigestLogin } from './digest-login.js';
import { Nonces } from './nonces.js';

const invite = { method: 'INVITE', uri: 'sip:+4930@sbc.example', body: '' };
const asked = { method: 'INVITE', acceptsUri: (uri: string) => uri === invite.uri };
const users = new Map([
  ['alice', 'wonderland'],
  ['bob', 'builder'],
]);

function guard(options: Partial<DigestGuardOptions> = {}): DigestGuard {
  return new DigestGuard({ realm: 'sbc', users, hashes: ['MD5', 'SHA-256'], clock: () => 0, ...options });
}

/** A client that has been asked. */
function asLogin(of: DigestGuard, username = 'alice', password = 'wonderland', challenges = of.challenges()) {
  const login = new DigestLogin({ username, password });
  assert.equal(login.attempt().take({ status: 401, get: () => challenges.join(',') }), true);
  return login;
}

function check(of: DigestGuard, login: DigestLogin, request = invite): DigestVerdict {
  return of.check(login.headers(request)['Authorization'], asked);
}

test('RFC 8760 §2.3: the strongest algorithm is offered first, with qop', () => {
  const challenges = parseChallenges(guard({ hashes: ['MD5', 'SHA-512-256', 'SHA-256'] }).challenges());
  assert.deepEqual(
    challenges.map(({ algorithm }) => algorithm.hash),
    ['SHA-512-256', 'SHA-256', 'MD5'],
  );
  assert.ok(challenges.every(({ qop, realm, stale }) => qop?.includes('auth') && realm === 'sbc' && !stale));
});

for (const hash of ['MD5', 'SHA-256', 'SHA-512-256'] satisfies DigestHash[]) {
  test(`${hash}: the right password is let in, and again with the next nonce count`, () => {
    const server = guard({ hashes: [hash] });
    const login = asLogin(server);
    assert.deepEqual(check(server, login), { user: 'alice' });
    assert.deepEqual(check(server, login), { user: 'alice' });
  });
}

test('a wrong password, an unknown user and another user are refused', () => {
  const server = guard();
  assert.deepEqual(check(server, asLogin(server, 'alice', 'builder')), { refusal: 'response' });
  assert.deepEqual(check(server, asLogin(server, 'eve', 'wonderland')), { refusal: 'user' });
  assert.deepEqual(check(server, asLogin(server, '__proto__', '')), { refusal: 'user' });
});

test('credentials are good for one method and for URIs that the server takes', () => {
  const server = guard();
  assert.deepEqual(check(server, asLogin(server), { ...invite, method: 'BYE' }), { refusal: 'response' });
  assert.deepEqual(check(server, asLogin(server), { ...invite, uri: 'sip:+1900@sbc' }), { refusal: 'uri' });
});

test('RFC 7616 §5.8: the same credentials are not good twice, nor is an older count', () => {
  const server = guard();
  const login = asLogin(server);
  const first = login.headers(invite)['Authorization'];
  const second = login.headers(invite)['Authorization'];
  assert.deepEqual(server.check(second, asked), { user: 'alice' });
  for (const replayed of [second, first]) assert.deepEqual(server.check(replayed, asked), { refusal: 'stale' });
});

test('credentials without qop are good once for each nonce', () => {
  const server = guard({ hashes: ['MD5'] });
  const login = asLogin(server, 'alice', 'wonderland', [(server.challenges()[0] ?? '').replace(/, qop="auth"/, '')]);
  const header = login.headers(invite)['Authorization'] ?? '';
  assert.doesNotMatch(header, /qop|nc=|cnonce/);
  assert.deepEqual(server.check(header, asked), { user: 'alice' });
  assert.deepEqual(check(server, login), { refusal: 'stale' });
});

test('RFC 7616 §3.3: an old nonce is stale, and the client answers the challenge that says so', () => {
  let now = 0;
  const server = guard({ clock: () => now, nonceLifetimeMs: 1_000 });
  const login = asLogin(server);
  const attempt = login.attempt();
  now = 1_001;
  assert.deepEqual(check(server, login), { refusal: 'stale' });
  assert.equal(attempt.take({ status: 401, get: () => server.challenges(true).join(',') }), true);
  assert.deepEqual(check(server, login), { user: 'alice' });
});

test('a nonce of another server, or changed by one bit, is stale for who knows the password', () => {
  const server = guard();
  assert.deepEqual(check(server, asLogin(server, 'alice', 'wonderland', guard().challenges())), { refusal: 'stale' });
  const [own = ''] = parseChallenges(server.challenges()).map(({ nonce }) => nonce);
  for (let at = 0; at < own.length; at += 1) {
    const changed = `${own.slice(0, at)}${own[at] === 'A' ? 'B' : 'A'}${own.slice(at + 1)}`;
    const challenge = `Digest realm="sbc", nonce="${changed}", algorithm=MD5, qop="auth"`;
    const login = asLogin(server, 'alice', 'wonderland', [challenge]);
    assert.deepEqual(check(server, login), { refusal: 'stale' }, changed);
  }
});

test('an algorithm that is not offered is not taken', () => {
  const server = guard({ hashes: ['SHA-256'] });
  const weaker = server.challenges().map((challenge) => challenge.replace('SHA-256', 'MD5'));
  assert.deepEqual(check(server, asLogin(server, 'alice', 'wonderland', weaker)), { refusal: 'algorithm' });
});

test('RFC 3261 §22.3: credentials for other realms are overlooked', () => {
  const server = guard();
  const own = asLogin(server).headers(invite)['Authorization'] ?? '';
  const other = own.replace('realm="sbc"', 'realm="elsewhere"');
  assert.deepEqual(server.check(`${other},${own}`, asked), { user: 'alice' });
  assert.deepEqual(server.check(other, asked), { refusal: 'no-credentials' });
  assert.deepEqual(server.check(undefined, asked), { refusal: 'no-credentials' });
  assert.deepEqual(server.check('Basic YWxpY2U6d29uZGVybGFuZA==', asked), { refusal: 'no-credentials' });
  assert.deepEqual(server.check('Digest username="alice', asked), { refusal: 'malformed' });
});

test('the table of used nonces is bounded, and what fell out of it is not good again', () => {
  let now = 0;
  const nonces = new Nonces({ clock: () => now, maxUsed: 3 });
  const all = Array.from({ length: 10 }, () => {
    now += 1;
    return nonces.issue();
  });
  for (const nonce of all) assert.equal(nonces.use(nonce, 1), true);
  assert.equal(nonces.size, 3);
  for (const nonce of all) assert.equal(nonces.use(nonce, 1), false);
  assert.equal(nonces.use(all.at(-1) ?? '', 2), true);
  assert.equal(nonces.use(all[0] ?? '', 2), false);
});
