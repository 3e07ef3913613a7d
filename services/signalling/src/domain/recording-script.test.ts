import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import { bodyParts, dynamics365, rfc7866 } from '@sidestream/siprec';
import { anonymous, type Identity } from './parties.js';
import type { ForkStream } from './ports.js';
import { RecordingScript } from './recording-script.js';

const key = (fill: number) => Buffer.alloc(30, fill).toString('base64');
const streams = (port = 30_000): ForkStream[] => [stream('customer', port, 1), stream('seller', port + 2, 2)];

function stream(party: 'customer' | 'seller', port: number, fill: number): ForkStream {
  const crypto = `1 AES_CM_128_HMAC_SHA1_80 inline:${key(fill)}`;
  return { party, address: '192.0.2.1', port, rtcpPort: port + 1, crypto, payloadTypes: [0] };
}

function answer(protocol = 'RTP/SAVP', direction = 'recvonly'): { contentType: string; body: Buffer } {
  const media = ['inbound', 'outbound'].flatMap((label, index) => [
    `m=audio ${40_000 + 2 * index} ${protocol} 0`,
    ...(protocol === 'RTP/SAVP' ? [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key(9 + index)}`] : []),
    `a=${direction}`,
    `a=label:${label}`,
  ]);
  const lines = ['v=0', 'o=- 1 1 IN IP4 192.0.2.7', 's=-', 'c=IN IP4 192.0.2.7', 't=0 0', ...media, ''];
  return { contentType: 'application/sdp', body: Buffer.from(lines.join('\r\n')) };
}

const ann: Identity = { uri: 'sip:+15559999@c', name: 'Ann', user: '+15559999', anonymous: false };

function script(customer = ann, profile = dynamics365) {
  const seller: Identity = { uri: 'sip:+15550001@s', name: '', user: '+15550001', anonymous: false };
  return new RecordingScript({
    profile,
    accountId: 'AC0123',
    direction: 'inbound',
    parties: { calling: customer, called: seller, customer, seller },
    callStart: new Date('2026-01-02T03:04:05Z'),
    recordedSince: new Date('2026-01-02T03:04:09Z'),
  });
}

const text = ({ contentType, body }: { contentType: string; body: Buffer }) =>
  bodyParts(contentType, body).map((part) => part.body.toString());

test('RFC 8068 §3.2.3: the metadata tells who has come and who has left, once', () => {
  const recording = script();
  recording.propose(streams(), 'sendonly');
  const bob: Identity = { uri: 'sip:+15550002@s', name: 'Bob', user: '+15550002', anonymous: false };
  const parties = { calling: ann, called: bob, customer: ann, seller: bob };
  assert.equal(recording.involve(parties, new Date('2026-01-02T03:05:00Z')), true);
  assert.equal(recording.involve(parties, new Date('2026-01-02T03:06:00Z')), false);
  const metadata = text(recording.inviteBody())[1] ?? '';
  assert.match(metadata, /<name>Bob<\/name>/);
  assert.match(metadata, /<disassociate-time>2026-01-02T03:05:00.000Z/);
  assert.match(metadata, /name="CalleeDisplayName" value="Bob"/);
});

test('the customer is the first stream; offer and metadata travel together; BYE has the stop time and no label', () => {
  const recording = script();
  assert.equal(recording.propose(streams().reverse(), 'sendonly'), true);
  const [sdp = '', metadata = ''] = text(recording.inviteBody());
  assert.ok(sdp.indexOf('a=label:inbound') < sdp.indexOf('a=label:outbound'));
  assert.ok(sdp.indexOf('m=audio 30000') < sdp.indexOf('m=audio 30002'));
  assert.match(metadata, /<name>Ann<\/name>/);
  const [bye = ''] = text(recording.byeBody(new Date('2026-01-02T03:14:05Z')));
  assert.match(bye, /<stop-time>2026-01-02T03:14:05/);
  assert.doesNotMatch(bye, /label/);
  assert.deepEqual(new Map(recording.byeHeaders).get('X-AccountId'), 'AC0123');
});

test('privacy: nothing of an anonymous caller is in any message', () => {
  const recording = script(anonymous);
  recording.propose(streams(), 'sendonly');
  const all = [...text(recording.inviteBody()), ...text(recording.byeBody(new Date()))].join('\n');
  assert.match(all, /sip:anonymous@anonymous\.invalid/);
  assert.match(all, /Anonymous/);
  assert.doesNotMatch(all, /15559999|Ann\b/);
});

test('RFC 3264 §8: an offer that says the same is none; a changed one has the next version', () => {
  const recording = script();
  recording.propose(streams(), 'sendonly');
  assert.match(text(recording.inviteBody())[0] ?? '', /^o=- \d+ 1 IN/m);
  recording.agree(recording.check(answer()));
  assert.equal(recording.propose(streams(), 'sendonly'), false);
  assert.equal(recording.propose(streams(31_000), 'sendonly'), true);
  assert.match(text(recording.inviteBody())[0] ?? '', /^o=- \d+ 2 IN/m);
});

test('RFC 3261 §14.1: what the recorder did not take does not stand', () => {
  const recording = script();
  recording.propose(streams(), 'sendonly');
  recording.agree(recording.check(answer()));
  const standing = recording.standing();
  recording.propose(streams(31_000), 'sendonly');
  recording.withdraw();
  assert.equal(recording.standing(), standing);
  assert.equal(recording.propose(streams(31_000), 'sendonly'), true);
});

test('an answer in plain RTP is unusable and says why without a key', () => {
  const recording = script();
  recording.propose(streams(), 'sendonly');
  assert.throws(
    () => recording.check(answer('RTP/AVP')),
    (error) =>
      error instanceof SidestreamError &&
      error.code === 'recorder-answer-unusable' &&
      /RTP\/AVP/.test(error.message) &&
      !/inline/.test(error.message),
  );
});

test('RFC 3264 §6: an offer of the recorder is answered by what it wants, under a version of its own', () => {
  const recording = script();
  recording.propose(streams(), 'sendonly');
  recording.agree(recording.check(answer()));
  const [offered = ''] = text(recording.inviteBody());
  const said = (direction: string) => recording.answer(recording.check(answer('RTP/SAVP', direction)));
  const described = (sdp: string) =>
    sdp.match(/^(o=.*IN|a=(sendonly|inactive))/gm)?.map((line) => line.replace(/ \d{2,} /, ' '));
  assert.deepEqual(described(offered), ['o=- 1 IN', 'a=sendonly', 'a=sendonly']);
  assert.deepEqual(described(said('inactive')), ['o=- 2 IN', 'a=inactive', 'a=inactive']);
  assert.deepEqual(described(said('inactive')), ['o=- 2 IN', 'a=inactive', 'a=inactive']);
  assert.deepEqual(described(said('recvonly')), ['o=- 3 IN', 'a=sendonly', 'a=sendonly']);
  // The full offer differs from that answer in its formats.
  assert.deepEqual(described(recording.standing())?.at(0), 'o=- 4 IN');
});

test('RFC 7866 §7.1.1.1: paused is the same description, inactive; resumed it is the one before, labels and order kept', () => {
  const recording = script();
  recording.propose(streams(), 'sendonly');
  recording.agree(recording.check(answer()));
  const [before = ''] = text(recording.inviteBody());
  assert.equal(recording.propose(undefined, 'inactive'), true);
  const [paused = ''] = text(recording.inviteBody());
  const version = (sdp: string, to: number) => sdp.replace(/^(o=- \d+) \d+/m, `$1 ${to}`);
  assert.equal(paused, version(before, 2).replaceAll('a=sendonly', 'a=inactive'));
  recording.agree(recording.check(answer('RTP/SAVP', 'inactive')));
  assert.match(recording.answer(recording.check(answer())), /a=inactive/);
  assert.equal(recording.propose(undefined, 'sendonly'), true);
  const [resumed = ''] = text(recording.inviteBody());
  assert.equal(version(resumed, 1), before);
});

test('RFC 7865 §6.3: the next recorder hears of the same session, associated with it since then', () => {
  const recording = script();
  recording.propose(streams(), 'sendonly');
  const [, first = ''] = text(recording.inviteBody());
  recording.renew(new Date('2026-01-02T03:09:00Z'));
  recording.propose(streams(31_000), 'sendonly');
  const [, second = ''] = text(recording.inviteBody());
  const ids = (metadata: string) => metadata.match(/(session|participant|stream)_id="[^"]+"/g);
  assert.deepEqual(ids(second), ids(first));
  assert.match(second, /<sessionrecordingassoc[^>]*>\s*<associate-time>2026-01-02T03:09:00/);
});

test('an answer stands once it is agreed on, not when it is checked', () => {
  const recording = script();
  recording.propose(streams(), 'sendonly');
  const first = recording.check(answer());
  assert.equal(recording.propose(streams(), 'sendonly'), true);
  recording.agree(first);
  assert.equal(recording.propose(streams(), 'sendonly'), false);
});

const held = { customer: { sends: false, receives: false }, seller: { sends: true, receives: true } };
const mode = (body: { contentType: string; body: Buffer }) => /<datamode>(\w+)</.exec(text(body)[1] ?? '')?.[1];

test('RFC 7866 §9.1: what flows is a partial update where the profile has it so, once all was told in this dialog', () => {
  for (const [profile, expected] of [
    [rfc7866, 'partial'],
    [dynamics365, 'complete'],
  ] as const) {
    const recording = script(ann, profile);
    recording.propose(streams(), 'sendonly');
    assert.equal(mode(recording.inviteBody('flows')), 'complete', 'the first one');
    recording.follow(held);
    recording.agree(recording.check(answer()));
    assert.equal(mode(recording.inviteBody('flows')), expected);
    assert.equal(mode(recording.inviteBody()), 'complete', 'asked for, or with an offer of its own');
    recording.renew(new Date());
    recording.propose(streams(), 'sendonly');
    assert.equal(mode(recording.inviteBody('flows')), 'complete', 'another recorder');
  }
});
