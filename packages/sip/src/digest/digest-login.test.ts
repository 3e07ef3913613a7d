// A client's login: which challenges it answers, how often, with what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCredentials } from './credentials.js';
import { DigestLogin } from './digest-login.js';

const user = { username: 'trunk', password: 'secret' };
const invite = { method: 'INVITE', uri: 'sip:1@carrier.example', body: 'v=0' };
const challenge = (rest = '') => `Digest realm="carrier", nonce="n1", qop="auth,auth-int"${rest}`;
const asking = (status: number, text: string) => ({
  status,
  get: (name: string) => (name === (status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate') ? text : undefined),
});

function read(header: string | undefined) {
  const [credentials] = parseCredentials(header ?? '');
  assert.ok(credentials);
  return credentials;
}

test('RFC 8760 §2.4: the topmost challenge that is understood is answered', () => {
  const login = new DigestLogin(user);
  const text = [challenge(', algorithm=SHA3-512'), challenge(', algorithm=SHA-256'), challenge()].join(',');
  assert.equal(login.challenged, false);
  assert.equal(login.attempt().take(asking(401, text)), true);
  const { algorithm, protection, uri } = read(login.headers(invite)['Authorization']);
  assert.deepEqual(algorithm, { hash: 'SHA-256', session: false });
  assert.equal(protection?.qop, 'auth');
  assert.equal(uri, invite.uri);
});

test('RFC 3261 §22.3: a proxy and a server may both ask for credentials; the nonce counts go up', () => {
  const login = new DigestLogin(user);
  const attempt = login.attempt();
  assert.equal(attempt.take(asking(407, challenge())), true);
  assert.equal(attempt.take(asking(401, challenge().replace('n1', 'n2'))), true);
  const counts = [1, 2].map(() => {
    const headers = login.headers(invite);
    const [proxy, server] = [read(headers['Proxy-Authorization']), read(headers['Authorization'])];
    assert.deepEqual([proxy.nonce, server.nonce], ['n1', 'n2']);
    return [proxy.protection?.nc, server.protection?.nc];
  });
  assert.deepEqual(counts, [
    [1, 1],
    [2, 2],
  ]);
});

test('a second challenge is answered only where it says stale, and not for ever', () => {
  const attempt = new DigestLogin(user).attempt();
  assert.equal(attempt.take(asking(401, challenge())), true);
  assert.equal(attempt.take(asking(401, challenge())), false);
  assert.equal(attempt.take(asking(401, challenge(', stale=TRUE'))), true);
  assert.equal(attempt.take(asking(401, challenge(', stale=true'))), true);
  assert.equal(attempt.take(asking(401, challenge(', stale=true'))), false);
});

test('only challenges of the named realm are answered', () => {
  const login = new DigestLogin({ ...user, realm: 'ours' });
  assert.equal(login.attempt().take(asking(401, challenge())), false);
  assert.equal(login.attempt().take(asking(401, `${challenge()},${challenge().replace('carrier', 'ours')}`)), true);
  assert.equal(read(login.headers(invite)['Authorization']).realm, 'ours');
});

test('what is no challenge is not answered', () => {
  const attempt = new DigestLogin(user).attempt();
  assert.equal(attempt.take(asking(200, challenge())), false);
  assert.equal(attempt.take(asking(403, challenge())), false);
  assert.equal(attempt.take({ status: 401, get: () => undefined }), false);
  assert.equal(attempt.take(asking(401, 'Basic realm="carrier"')), false);
});

test('auth-int is used where nothing else is offered', () => {
  const login = new DigestLogin(user);
  login.attempt().take(asking(401, 'Digest realm="r", nonce="n", qop="auth-int", algorithm=MD5-sess'));
  const { protection, algorithm } = read(login.headers(invite)['Authorization']);
  assert.equal(protection?.qop, 'auth-int');
  assert.equal(algorithm?.session, true);
});
