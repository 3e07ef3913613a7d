// What the adapter makes of replies that the real engine gives rarely: refused, not guessed at.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, SidestreamError } from '@sidestream/service';
import { EngineLostSession, type Party } from '../domain/ports.js';
import { soon } from '../testing/soon.js';
import { type NgCommand, NgError, type NgFailure } from './ng-client.js';
import type { NgDictionary, NgValue } from './ng-message.js';
import { type NgTransport, Rtpengine } from './rtpengine.js';

const parties: readonly Party[] = ['customer', 'seller'];
const crypto = (tag = 1) => `a=crypto:${tag} AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}`;
const media = (port: number, label: string) => [
  `m=audio ${port} RTP/SAVP 0 101`,
  `a=label:${label}`,
  'a=rtpmap:101 telephone-event/8000',
  `a=rtcp:${port + 5}`,
  crypto(),
];
const sdp = (...lines: string[]) => ['v=0', 'c=IN IP4 192.0.2.9', ...lines, ''].join('\r\n');
const tagMedias = [
  { tag: 'customer', medias: [{ index: 1, type: 'audio', label: '1' }] },
  { tag: 'seller', medias: [{ index: 1, type: 'audio', label: '0' }] },
];
const good = {
  result: 'ok',
  'from-tags': [...parties],
  'tag-medias': tagMedias,
  sdp: sdp(...media(4000, '1'), ...media(4010, '0')),
};

function engineThat(reply: (command: NgCommand) => NgDictionary): { engine: Rtpengine; sent: NgCommand[] } {
  const sent: NgCommand[] = [];
  const transport: NgTransport = {
    address: '127.0.0.1:22222',
    async request(command) {
      sent.push(command);
      return reply(command);
    },
  };
  return { engine: new Rtpengine(transport, 'r1'), sent };
}

test('a good reply gives the streams; the request names the parties, the tag and the one suite', async () => {
  const { engine, sent } = engineThat(() => good);
  const { streams, refusals } = await engine.offerFork('s', { id: 'f', sealed: false }, parties, undefined, soon());
  const base = {
    address: '192.0.2.9',
    crypto: crypto().slice('a=crypto:'.length),
    payloadTypes: [0],
    telephoneEvent: 101,
  };
  assert.deepEqual(streams, [
    { ...base, party: 'customer', port: 4000, rtcpPort: 4005 },
    { ...base, party: 'seller', port: 4010, rtcpPort: 4015 },
  ]);
  assert.deepEqual(refusals, [undefined, undefined]);
  const [request] = sent;
  assert.equal(request?.['call-id'], 'sidestream/r1/s');
  assert.equal(request?.['to-tag'], 'fork/f');
  assert.deepEqual(request?.['from-tags'], parties);
  const suites: NgValue | undefined = request?.['SDES'];
  assert.ok(Array.isArray(suites) && suites.length === 12 && suites.includes('no-NULL_HMAC_SHA1_80'));
  assert.ok(!suites.includes('no-AES_CM_128_HMAC_SHA1_80'));
  assert.equal(request?.['codec'], undefined);
});

for (const [what, change] of [
  ['only one of the parties', { 'from-tags': ['customer'] }],
  ['the parties in another order', { 'from-tags': ['seller', 'customer'] }],
  ['ok without SDP, as after a restore from redis', { sdp: '' }],
  ['no labels', { sdp: good.sdp.replaceAll(/a=label.*\r\n/g, '') }],
  ['labels that do not follow the parties', { sdp: sdp(...media(4000, '0'), ...media(4010, '1')) }],
  ['a media line too few', { sdp: sdp(...media(4000, '1')) }],
  ['no tag-medias', { 'tag-medias': [] }],
  ['a line in clear', { sdp: good.sdp.replace('4010 RTP/SAVP', '4010 RTP/AVP') }],
  ['two keys for a line', { sdp: `${good.sdp}${crypto(2)}\r\n` }],
  ['no key', { sdp: good.sdp.replaceAll(/a=crypto.*\r\n/g, '') }],
  ['another suite', { sdp: good.sdp.replaceAll('AES_CM_128_HMAC_SHA1_80', 'NULL_HMAC_SHA1_80') }],
  ['a party without audio', { sdp: good.sdp.replace('m=audio 4010', 'm=audio 0') }],
  ['no address', { sdp: good.sdp.replace('c=IN IP4 192.0.2.9\r\n', '') }],
] as const) {
  test(`a fork reply with ${what} is refused`, async () => {
    const { engine } = engineThat(() => ({ ...good, ...change }));
    await assert.rejects(engine.offerFork('s', { id: 'f', sealed: false }, parties, undefined, soon()), {
      code: 'media-refused',
    });
  });
}

for (const [failure, message, code] of [
  ['unavailable', 'nothing listens at 127.0.0.1:22222', 'media-engine-unavailable'],
  ['timeout', "no reply to 'answer' from 127.0.0.1:22222", 'media-engine-unavailable'],
  ['closed', 'closed', 'media-engine-unavailable'],
  ['overloaded', 'many', 'overloaded'],
  ['too-long', 'long', 'bad-request'],
  ['refused', 'Ran out of ports', 'overloaded'],
  ['refused', 'Failed to request subscription', 'overloaded'],
  ['refused', 'Parallel session limit reached', 'overloaded'],
  ['refused', 'Failed to parse SDP', 'media-refused'],
] satisfies [NgFailure, string, ErrorCode][]) {
  test(`${failure} (${message}) is ${code}, and says that it was rtpengine`, async () => {
    const { engine } = engineThat(({ command }) => {
      throw new NgError(failure, command, message);
    });
    await assert.rejects(engine.answer('s', 'seller', 'v=0', soon()), (error: unknown) => {
      assert.ok(error instanceof SidestreamError);
      assert.equal(error.code, code);
      if (code !== 'bad-request') assert.match(error.message, /rtpengine/);
      return true;
    });
  });
}

for (const spelling of ['Unknown call-ID', 'Unknown call-id']) {
  test(`${spelling}: the session is lost; for stopping a fork that is good enough`, async () => {
    const { engine } = engineThat(({ command }) => {
      throw new NgError('refused', command, spelling);
    });
    await assert.rejects(engine.answer('s', 'seller', 'v=0', soon()), EngineLostSession);
    await engine.stopFork('s', { id: 'f', sealed: false }, soon());
    assert.equal(await engine.holds('s', soon()), false);
  });
}

test('who gave up decides how it is called', async () => {
  const { engine } = engineThat(({ command }) => {
    throw new NgError('aborted', command, 'x', { cause: new SidestreamError('deadline-exceeded', 'too late') });
  });
  await assert.rejects(engine.answer('s', 'seller', 'v=0', soon()), { code: 'deadline-exceeded' });
});
