import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAccess } from './access-references.js';
import type { Loose } from './loose.js';

const digest = (realm: string, ...users: string[]) => ({ realm, users: users.map((username) => ({ username })) });
const mutual = { listen: ['tls:127.0.0.1:0'], tls: { trustFile: 'ca.pem' } };

function problems(trunks: object, signalling: object = {}): string[] {
  return [...checkAccess({ trunks, signalling } as unknown as Loose)].map(({ path }) => path);
}

test('trunks that may call from anywhere have one realm and differ in their users', () => {
  assert.deepEqual(problems({ a: { digest: digest('r', 'u') }, b: { digest: digest('r', 'v') } }), []);
  assert.deepEqual(problems({ a: { digest: digest('r', 'u') }, b: { digest: digest('s', 'v') } }), [
    'trunks.b.digest.realm',
  ]);
  assert.deepEqual(problems({ a: { digest: digest('r', 'u') }, b: { digest: digest('r', 'v', 'u') } }), [
    'trunks.b.digest.users.1.username',
  ]);
});

test('trunks with peers may have any realm and any users, each once', () => {
  const peers = ['192.0.2.1'];
  assert.deepEqual(problems({ a: { digest: digest('r', 'u') }, b: { peers, digest: digest('s', 'u') } }), []);
  assert.deepEqual(problems({ b: { peers, digest: digest('s', 'u', 'u') } }), ['trunks.b.digest.users.1.username']);
});

test('credentials are for targets or for a registrar', () => {
  const credentials = { username: 'u' };
  assert.deepEqual(problems({ a: { peers: ['192.0.2.1'], credentials } }), ['trunks.a.credentials']);
  assert.deepEqual(problems({ a: { targets: ['sip:192.0.2.1'], credentials } }), []);
  assert.deepEqual(problems({ a: { register: {}, credentials } }), []);
});

test('certificateNames need the embedded edge, a trustFile and a tls listener', () => {
  const trunks = { a: { certificateNames: ['pbx.example'] } };
  assert.deepEqual(problems(trunks, mutual), []);
  for (const lacking of [{ edge: 'tcp://127.0.0.1:9022' }, { ...mutual, tls: {} }, { ...mutual, listen: ['udp:a:1'] }])
    assert.deepEqual(problems(trunks, lacking), ['trunks.a.certificateNames']);
});
