import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codecsForAnswer, codecsForOffer, withCodecs } from './codec-choice.js';

const offer = [
  ...['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', 'm=audio 4000 RTP/AVP 9 0 8 96 101'],
  ...[
    'a=rtpmap:96 opus/48000/2',
    'a=fmtp:96 useinbandfec=1',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    '',
  ],
].join('\r\n');
const types = (sdp: string | undefined) => /^m=audio \d+ \S+ (.*)$/m.exec(sdp ?? '')?.[1]?.trim();

test("a trunk's codecs, in its order, with what describes them and nothing else", () => {
  const chosen = withCodecs(offer, ['PCMA', 'OPUS', 'telephone-event']);
  assert.equal(types(chosen), '8 96 101');
  assert.equal(types(withCodecs(offer, [])), '9 0 8 96 101');
  assert.doesNotMatch(withCodecs(offer, ['PCMA']) ?? '', /rtpmap|fmtp/);
});

test('what is taken from one and offered to the other is what both have, as the other one wants it', () => {
  const { sdp, transcode } = codecsForOffer(offer, ['PCMU', 'PCMA', 'telephone-event'], ['PCMA', 'PCMU', 'G729']);
  assert.equal(types(sdp), '8 0');
  assert.deepEqual(transcode, []);
});

test('without a voice in common the engine translates, where it can; DTMF alone is no voice', () => {
  const { sdp, transcode } = codecsForOffer(offer, ['opus', 'telephone-event'], ['AMR-WB', 'G729', 'telephone-event']);
  assert.equal(types(sdp), '96 101');
  assert.deepEqual(transcode, ['G729', 'telephone-event']);
});

test('what cannot be translated, or is not taken, is not acceptable here', () => {
  const code = 'not-acceptable-here';
  assert.throws(() => codecsForOffer(offer, [], ['AMR']), { code, message: /no codec in common .*AMR/ });
  assert.throws(() => codecsForOffer(offer, ['G729'], []), { code, message: /G729.* is offered/ });
  assert.throws(() => codecsForAnswer(offer, ['G729', 'telephone-event']), { code, message: /is answered/ });
});
