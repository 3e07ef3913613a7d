import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EmergencyNumbers, type Trunk, TrunkTable } from '@sidestream/routing';
import { certificateNamesHeader, Secret, trunkSchema } from '@sidestream/service';
import { DigestLogin } from '@sidestream/sip';
import { CallerProof, type CallerProofOptions, type Claim } from './caller-proof.js';

const trunk = (over: object) =>
  trunkSchema.parse({ tenant: 'contoso', side: 'customer', routes: [{ to: 'plain' }], ...over });
const anyUser = { realm: 'r', users: [{ username: 'u', passwordFile: 'f' }] };

const config = {
  plain: trunk({ peers: ['192.0.2.1'] }),
  both: trunk({ peers: ['192.0.2.2'] }),
  roaming: trunk({ tenant: 'fabrikam', side: 'seller', digest: anyUser }),
  wandering: trunk({ digest: anyUser }),
  shown: trunk({ peers: ['192.0.2.3'], certificateNames: ['sip:PBX.example'] }),
};
const login = (realm: string, user: string) => ({
  realm,
  hashes: ['SHA-256', 'MD5'] as const,
  users: new Map([[user, new Secret(`${user}'s`)]]),
});

const noRegistrar: CallerProofOptions['registered'] = { ofContact: () => undefined, ofSource: () => undefined };

function proof(logins = ['both', 'roaming', 'wandering'], registered = noRegistrar) {
  const told: string[] = [];
  const all = new Map(logins.map((name) => [name, login(name === 'both' ? 'carrier' : 'open', name)]));
  const caller = new CallerProof({
    trunks: new TrunkTable(config, new EmergencyNumbers([])),
    config,
    logins: all,
    registered,
    clock: () => 0,
    onProof: (name, outcome) => told.push(`${name}: ${outcome}`),
  });
  return { caller, told };
}

function claim(address: string, authorization?: string): Claim {
  return {
    source: { address, port: 5060 },
    requestUri: 'sip:+4930@sbc.example',
    header: (name) => (name === 'authorization' ? authorization : undefined),
  };
}

/** As drachtio-srf hands over several header fields of a name. */
function challengesOf(asked: ReturnType<CallerProof['identify']>): string {
  return 'refuse' in asked ? [asked.refuse.headers?.['WWW-Authenticate'] ?? []].flat().join(',') : '';
}

/** What a caller says once it was asked. */
function answerOf(
  caller: CallerProof,
  address: string,
  user: string,
  uri = 'sip:+4930@sbc.example',
  password = `${user}'s`,
) {
  const asked = caller.identify(claim(address));
  assert.ok('refuse' in asked);
  assert.equal(asked.refuse.status, 401);
  const client = new DigestLogin({ username: user, password });
  assert.ok(client.attempt().take({ status: 401, get: () => challengesOf(asked) }));
  return caller.identify(claim(address, client.headers({ method: 'INVITE', uri, body: '' })['Authorization']));
}

function statusOf(caller: ReturnType<CallerProof['identify']>): number | string {
  return 'refuse' in caller ? caller.refuse.status : caller.trunk.name;
}

test('an address alone is enough for a trunk without digest', () => {
  const { caller, told } = proof();
  assert.equal(statusOf(caller.identify(claim('192.0.2.1'))), 'plain');
  assert.deepEqual(told, []);
});

test('a trunk with peers and digest needs both', () => {
  const { caller, told } = proof();
  assert.equal(statusOf(answerOf(caller, '192.0.2.2', 'both')), 'both');
  assert.equal(statusOf(answerOf(caller, '192.0.2.9', 'both')), 401);
  assert.deepEqual(told, ['both: no-credentials', 'both: accepted', ': no-credentials', ': user']);
});

test('a trunk with digest alone may call from anywhere, and its user tells which trunk it is', () => {
  const { caller } = proof();
  for (const [user, address] of [
    ['roaming', '198.51.100.1'],
    ['wandering', '2001:db8::1'],
  ] as const) {
    assert.equal(statusOf(answerOf(caller, address, user)), user);
  }
});

test('a stranger hears 403 where no trunk may call from anywhere', () => {
  const { caller } = proof(['both']);
  assert.equal(statusOf(caller.identify(claim('198.51.100.1'))), 403);
});

test('a wrong password is challenged again, told, and never repeated in what is told', () => {
  const { caller, told } = proof();
  const heard = answerOf(caller, '192.0.2.2', 'both', undefined, 'guess');
  assert.equal(statusOf(heard), 401);
  assert.doesNotMatch(JSON.stringify(heard), /both's|guess/);
  assert.deepEqual(told, ['both: no-credentials', 'both: response']);
});

test('RFC 8760 §2.6: credentials for one number are no good for another; a URI without a user is as good as any', () => {
  const { caller } = proof();
  assert.equal(statusOf(answerOf(caller, '192.0.2.2', 'both', 'sip:+1900@sbc.example')), 401);
  assert.equal(statusOf(answerOf(caller, '192.0.2.2', 'both', 'not a URI')), 401);
  assert.equal(statusOf(answerOf(caller, '192.0.2.2', 'both', 'sip:127.0.0.1:5060')), 'both');
  assert.equal(statusOf(answerOf(caller, '192.0.2.2', 'both', 'sips:+4930@elsewhere;transport=tcp')), 'both');
});

test('RFC 5922: a trunk with certificateNames is who shows one of them, from any address, and nobody else', () => {
  const { caller } = proof();
  const showing = (address: string, names: string): Claim => ({
    ...claim(address),
    header: (name) => (name === certificateNamesHeader ? names : undefined),
  });
  assert.equal(statusOf(caller.identify(showing('198.51.100.7', 'other.example,pbx.example'))), 'shown');
  assert.equal(statusOf(caller.identify(showing('192.0.2.3', 'other.example'))), 403);
  assert.equal(statusOf(caller.identify(claim('192.0.2.3'))), 403);
  assert.equal(statusOf(caller.identify(showing('192.0.2.1', 'other.example'))), 'plain');
});

test('a request that needs no login is of the peer whose INVITE would be taken, or asked to log in', () => {
  const registered: Trunk = { name: 'registered', tenant: 'contoso', side: 'customer', config: config.wandering };
  const { caller } = proof(undefined, {
    ...noRegistrar,
    ofContact: (address, user) => (address === '192.0.2.8' && user === 'us' ? registered : undefined),
  });
  const shows = (names: string) => (name: string) => (name === certificateNamesHeader ? names : undefined);
  for (const [claimed, name] of [
    [claim('192.0.2.1'), 'plain'],
    [claim('192.0.2.2'), 'both'],
    [claim('198.51.100.1'), undefined],
    [{ ...claim('198.51.100.1'), header: shows('pbx.example') }, 'shown'],
    [{ ...claim('192.0.2.3'), header: shows('other.example') }, undefined],
    [{ ...claim('192.0.2.8'), requestUri: 'sip:us@sbc.example' }, 'registered'],
  ] as const)
    assert.equal(caller.peer(claimed)?.name, name);
});

test('the same credentials, sent again, are stale', () => {
  const { caller } = proof();
  const asked = caller.identify(claim('192.0.2.2'));
  const client = new DigestLogin({ username: 'both', password: "both's" });
  client.attempt().take({ status: 401, get: () => challengesOf(asked) });
  const header = client.headers({ method: 'INVITE', uri: 'sip:+4930@sbc.example', body: '' })['Authorization'];
  assert.equal(statusOf(caller.identify(claim('192.0.2.2', header))), 'both');
  const again = caller.identify(claim('192.0.2.2', header));
  assert.ok('refuse' in again);
  assert.match(challengesOf(again), /stale=true/);
});
