import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recorderEndpoints, resolveRecorder } from './recorder-endpoints.js';
import { rfc7866 } from './recorder-profile.js';
import { SiprecError } from './siprec-error.js';
import { expectSiprecError } from './testing/expect-siprec-error.js';

test('the 14 documented endpoints', () => {
  assert.equal(recorderEndpoints.size, 14);
  assert.equal(recorderEndpoints.get('global')?.host, 'media.recording.dynamics.com');
  assert.equal(recorderEndpoints.get('zaf')?.host, 'zaf.media.recording.dynamics.com');
});

const resolved: readonly [given: string, uri: string, host: string, port: number][] = [
  [
    'EastUS',
    'sip:SRS@eastus.media.recording.dynamics.com:5061;transport=tls',
    'eastus.media.recording.dynamics.com',
    5061,
  ],
  ['sip:127.0.0.1', 'sip:SRS@127.0.0.1:5061;transport=tls', '127.0.0.1', 5061],
  ['sip:rec@srs.example:15061;transport=TLS', 'sip:rec@srs.example:15061;transport=tls', 'srs.example', 15061],
  ['SIPS:srs.example:5061', 'sips:SRS@srs.example:5061', 'srs.example', 5061],
  ['sip:[2001:db8::1]:5071', 'sip:SRS@[2001:db8::1]:5071;transport=tls', '2001:db8::1', 5071],
];
for (const [given, uri, host, port] of resolved) {
  test(`${given} is ${uri}`, () => {
    const scheme = uri.startsWith('sips:') ? 'sips' : 'sip';
    assert.deepEqual(resolveRecorder(given), { uri, scheme, host, port, transport: 'tls' });
  });
}

test('RFC 5630 §5.1.1: profile rfc7866 keeps the scheme, takes sips for a documented name and never writes transport=tls', () => {
  const uri = (given: string) => resolveRecorder(given, rfc7866).uri;
  assert.equal(uri('sip:rec@srs.example:15061;transport=tls'), 'sip:rec@srs.example:15061');
  assert.equal(uri('sips:[2001:db8::1]'), 'sips:SRS@[2001:db8::1]:5061');
  assert.equal(uri('eastus'), 'sips:SRS@eastus.media.recording.dynamics.com:5061');
});

const refused = [
  'eastus2',
  '',
  'tel:+1',
  'sip:',
  'sip:a b',
  'sip:h:0',
  'sip:h:65536',
  'sip:1.2.3.999',
  'sip:h;transport=udp',
  'sip:h;lr',
  'sip:h\r\nX: y',
  'sip:[1.2.3]',
];
for (const value of refused) {
  test(`${JSON.stringify(value)} is refused by name`, () => {
    const { message } = expectSiprecError('recorder-name', () => resolveRecorder(value));
    assert.ok(message.includes(JSON.stringify(value)), message);
  });
}

test('any text is an address or a SiprecError', () => {
  const property = fc.property(
    fc.oneof(
      fc.string(),
      fc.string().map((rest) => `sip:${rest}`),
    ),
    (value) => {
      try {
        assert.match(resolveRecorder(value).uri, /^sips?:[\x21-\x7e]+$/);
      } catch (error) {
        assert.ok(error instanceof SiprecError, String(error));
      }
    },
  );
  fc.assert(property, { numRuns: 500 });
});
