// What each check makes of what it saw; without a network.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProviderError } from '@sidestream/conversation-intelligence';
import type { NatsInspection } from '@sidestream/service';
import { judgeAdvertised, judgeEgress, judgeListening } from './addresses.js';
import { adviceFor } from './advice.js';
import type { Finding } from './check.js';
import { judgeClock } from './clock.js';
import { judgeCollector } from './collector.js';
import { judgeMode, problemFindings } from './config-check.js';
import { judgeLookUp } from './dns.js';
import { judgeEdge } from './edge.js';
import { judgeCapacity, judgeOverlap, mediaPorts } from './engine-capacity.js';
import { judgeKeys } from './issuers.js';
import { judgeNats } from './nats.js';
import { isReserved } from './port-holder.js';
import { judgePort } from './ports.js';
import { judgeFailure, judgeRegistration } from './provider.js';
import { judgeOptions } from './recorders.js';
import { judgeMediaAddress } from './rtpengine.js';
import { judgeTarget } from './trunks.js';

const states = (findings: readonly Finding[]) => findings.map(({ state }) => state);

test('config: a secret that everybody can read is a warning; a group may', () => {
  assert.deepEqual(judgeMode('nats.credentialsFile', 0o100640), []);
  const [open] = judgeMode('nats.credentialsFile', 0o100644);
  assert.match(`${open?.state} ${open?.what}`, /^warn .*\(mode 0644\)$/);
  assert.deepEqual(problemFindings('a.yaml', [{ path: '', message: 'no YAML' }])[0]?.where, 'a.yaml');
});

test('addresses: listening, advertised, and from where a recorder sees us come', () => {
  const here = { addresses: new Set(['10.1.2.3', '198.51.100.7']) };
  assert.deepEqual(states(judgeListening('a', '10.1.2.3', here)), []);
  assert.deepEqual(states(judgeListening('a', '0.0.0.0', here)), []);
  assert.deepEqual(states(judgeListening('a', '10.9.9.9', here)), ['fail']);
  const told = { key: 'signalling.advertise', listen: '10.1.2.3:5060' };
  assert.deepEqual(states(judgeAdvertised(told, ['198.51.100.7'], here)), ['ok']);
  assert.match(judgeAdvertised(told, ['203.0.113.9'], here)[0]?.what ?? '', /taken for NAT/);
  assert.deepEqual(states(judgeAdvertised(told, ['192.168.7.7'], here)), ['warn']);
  for (const [egress, registered, state] of [
    ['198.51.100.7', '0.0.0.0', 'ok'],
    ['198.51.100.7', undefined, 'ok'],
    ['198.51.100.7', '198.51.100.7', 'ok'],
    ['198.51.100.7', '198.51.100.0/24', 'ok'],
    ['198.51.100.7', '203.0.113.9', 'fail'],
    ['10.1.2.3', '203.0.113.9', 'warn'],
    ['2001:db8::1', '203.0.113.9', 'fail'],
  ] as const)
    assert.deepEqual(states(judgeEgress('r', egress, registered)), [state], `${egress} ${registered}`);
});

test('ports: free, ours, somebody else’s, not to be seen, forbidden', () => {
  const ours = { pid: 7, program: 'signalling', ours: true };
  const other = { pid: 8, program: 'nginx', ours: false };
  for (const [code, holder, state] of [
    [undefined, undefined, 'ok'],
    ['EADDRINUSE', ours, 'ok'],
    ['EADDRINUSE', other, 'fail'],
    ['EADDRINUSE', undefined, 'warn'],
    ['EACCES', undefined, 'fail'],
    ['EADDRNOTAVAIL', undefined, 'skipped'],
    ['EMFILE', undefined, 'fail'],
  ] as const)
    assert.deepEqual(states(judgePort('p', code, holder)), [state], String(code));
  assert.match(judgePort('p', 'EADDRINUSE', other)[0]?.what ?? '', /nginx \(pid 8\)/);
  assert.ok(isReserved(9005, '8080,9000-9010'));
  assert.ok(!isReserved(9011, '8080,9000-9010'));
  assert.ok(!isReserved(0, ''));
});

test('dns: an answer that calls would have to wait for is a warning', () => {
  assert.equal(judgeLookUp('a', ['192.0.2.1'], 20).state, 'ok');
  assert.equal(judgeLookUp('a', ['192.0.2.1'], 900).state, 'warn');
  assert.match(judgeLookUp('a', ['192.0.2.1'], 20, ['sip1.example']).what, /by way of sip1\.example in 20 ms/);
});

test('clock: seconds are the network’s, more is a warning, half a minute fails', () => {
  assert.deepEqual(
    [400, -4_000, 6_000, -45_000].map((ms) => judgeClock('c', ms).state),
    ['ok', 'ok', 'warn', 'fail'],
  );
  assert.match(judgeClock('c', -45_000).what, /45 s behind/);
});

test('nats: version, JetStream, room, permissions, streams that are not as ours', () => {
  const facts = { server: '127.0.0.1:4222', roundTripMs: 1, maxPayloadBytes: 1024 * 1024 };
  const stream = { name: 'EVENTS', state: 'there', differences: [], reservedBytes: 1024 ** 3 } as const;
  const jetStream = {
    usedBytes: 0,
    limitBytes: undefined,
    reservedBytes: 0,
    streams: [stream],
    read: async () => undefined,
  };
  const judged = (more: Partial<NatsInspection>) => judgeNats('n', { ...facts, version: '2.12.1', jetStream, ...more });
  assert.deepEqual(states(judged({})), ['ok', 'ok']);
  assert.deepEqual(states(judged({ version: '2.8.4' })), ['fail', 'ok']);
  assert.match(judged({ version: '2.9.10' })[0]?.what ?? '', /2\.9\.10 .*ignores a time to live of single keys/);
  assert.deepEqual(states(judged({ version: '2.11.0' })), ['warn', 'ok']);
  assert.deepEqual(states(judged({ jetStream: undefined })), ['ok', 'fail']);
  assert.deepEqual(states(judged({ maxPayloadBytes: 4_096 })), ['ok', 'fail', 'ok']);
  const missing = [{ ...stream, state: 'missing' as const }];
  const [, room] = judged({
    jetStream: { ...jetStream, streams: missing, limitBytes: 1024 ** 3, reservedBytes: 1024 ** 2 },
  });
  assert.match(`${room?.state} ${room?.what}`, /^fail the account has 1023 MiB left, .* reserves 1024 MiB$/);
  assert.match(judged({ jetStream: { ...jetStream, streams: missing } })[1]?.what ?? '', /EVENTS will be made/);
  const forbidden = [{ ...stream, state: 'forbidden' as const }];
  assert.match(judged({ jetStream: { ...jetStream, streams: forbidden } })[2]?.what ?? '', /may not ask for EVENTS/);
  const strangers = [{ ...stream, name: 'RECORDS', state: 'forbidden' as const }];
  assert.equal(judged({ jetStream: { ...jetStream, streams: strangers } })[2]?.state, 'warn');
  const other = [{ ...stream, differences: ['max_age is 1, not 2'] }];
  assert.match(judged({ jetStream: { ...jetStream, streams: other } })[2]?.what ?? '', /max_age is 1, not 2/);
});

test('rtpengine: ports against sessions, the kernel’s own range, the address of media', () => {
  const statistics = {
    interfaces: [{ name: 'pub', address: '192.0.2.1', ports: { min: 30_000, max: 39_999, used: 8 } }],
  };
  const [interfaceOf] = mediaPorts(statistics);
  assert.deepEqual(interfaceOf, { name: 'pub', address: '192.0.2.1', min: 30_000, max: 39_999, used: 8 });
  assert.ok(interfaceOf);
  assert.deepEqual(mediaPorts({}), []);
  assert.deepEqual(mediaPorts({ interfaces: [{ name: 'a', address: 'b', ports: 'c' }] }), []);
  const capacity = (maxSessions: number, forks: number) =>
    judgeCapacity(
      'r',
      [interfaceOf],
      { mediaRelay: { maxSessions } as Parameters<typeof judgeCapacity>[2]['mediaRelay'] },
      forks,
    )[0];
  assert.match(`${capacity(1_250, 1)?.state} ${capacity(1_250, 1)?.what}`, /^ok .*1250 calls at 8 each/);
  assert.match(`${capacity(1_251, 1)?.state} ${capacity(1_251, 1)?.todo}`, /^warn give it 10008 ports/);
  assert.equal(capacity(1_250, 2)?.state, 'warn');
  assert.deepEqual(judgeOverlap('r', interfaceOf, undefined), []);
  assert.deepEqual(judgeOverlap('r', interfaceOf, { min: 40_000, max: 60_999, reserved: '' }), []);
  assert.deepEqual(states(judgeOverlap('r', interfaceOf, { min: 32_768, max: 60_999, reserved: '' })), ['warn']);
  assert.deepEqual(judgeOverlap('r', interfaceOf, { min: 32_768, max: 60_999, reserved: '30000-39999' }), []);
  assert.deepEqual(states(judgeMediaAddress('r', '127.0.0.1', ['127.0.0.1', '203.0.113.4'])), ['fail']);
  assert.deepEqual(judgeMediaAddress('r', '192.0.2.1', ['203.0.113.4']), []);
});

test('edge: what drachtio-server answers', () => {
  assert.match(judgeEdge(['OK', 'udp/192.0.2.1:5060,tcp/192.0.2.1:5060', 'v0.9.4']).what, /v0\.9\.4 listens on udp/);
  assert.equal(judgeEdge(['OK', '']).state, 'fail');
  assert.equal(judgeEdge(['NO', 'incorrect secret']).state, 'fail');
});

test('recorders and trunks: what an answer to OPTIONS says', () => {
  for (const [status, recorder, target] of [
    [200, 'ok', 'ok'],
    [405, 'ok', 'ok'],
    [403, 'fail', 'ok'],
    [503, 'warn', 'warn'],
  ] as const)
    assert.deepEqual([judgeOptions('r', status, '').state, judgeTarget('t', status, '').state], [recorder, target]);
});

test('provider: refusals fail, what passes by itself is a warning; how a registration stands', () => {
  assert.equal(judgeFailure('p', new ProviderError('unauthorized', 'x')).state, 'fail');
  assert.equal(judgeFailure('p', new ProviderError('throttled', 'x')).state, 'warn');
  assert.equal(judgeFailure('p', new Error('ENOENT')).state, 'fail');
  assert.equal(judgeRegistration('p', {}, 'never registered').state, 'warn');
  const failure = { contentHash: '', code: 'rejected', message: 'no', at: '2026-01-01T00:00:00Z', retryable: false };
  const failed = { failure: { ...failure, attempts: 1, retryAt: '2026-01-01T00:00:00Z' } };
  assert.equal(judgeRegistration('p', failed, 'never registered').state, 'fail');
  assert.equal(judgeRegistration('p', {}, undefined).state, 'ok');
});

test('issuers: keys that tokens can be checked with', () => {
  const keys = (...list: object[]) => judgeKeys('i', { keys: list }, 'https://issuer/jwks').state;
  assert.equal(keys({ kty: 'RSA' }), 'ok');
  assert.equal(keys({ kty: 'EC', use: 'sig' }), 'ok');
  assert.equal(keys({ kty: 'RSA', use: 'enc' }), 'fail');
  assert.equal(keys(), 'fail');
  assert.equal(judgeKeys('i', [], 'https://issuer/jwks').state, 'fail');
});

test('collector: what answers as OTLP over HTTP has it; one that is busy is a warning', () => {
  const judged = (status: number, body: string) => judgeCollector('http://c/v1/traces', { status, body, ms: 1 });
  for (const body of ['', '{}', '{"partialSuccess":{}}']) assert.equal(judged(200, body).state, 'ok', body);
  for (const body of ['<html>', '[]', 'null', '"ok"']) assert.equal(judged(200, body).state, 'fail', body);
  for (const status of [301, 400, 401, 403, 404, 405, 415, 500]) assert.equal(judged(status, '{}').state, 'fail');
  for (const status of [429, 502, 503, 504]) assert.equal(judged(status, '').state, 'warn');
  assert.match(judged(401, '').todo ?? '', /telemetry\.traces\.headersFile/);
  assert.match(judged(404, '').todo ?? '', /\/v1\/traces/);
});

test('advice knows the code, also of what caused an error, and names our keys', () => {
  const ours = {
    peer: 'the recorder',
    trust: 'tenants.a.recording.trustFile',
    identity: 'tenants.a.recording.identity',
  };
  const caused = (code: string) => new Error('x', { cause: Object.assign(new Error('y'), { code }) });
  assert.match(adviceFor(caused('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), ours), /tenants\.a\.recording\.trustFile/);
  assert.match(adviceFor(caused('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), ours), /tenants\.a\.recording\.identity/);
  assert.match(adviceFor(caused('E_UNHEARD_OF'), ours), /firewalls/);
});
