import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inLinesOf, originOf, withOrigin } from './carried-description.js';

const head = 'v=0\r\no=- 7 3 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n';
const audio = 'm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n';

test('RFC 3264 §8: media lines that were there stay, the audio in its place and the others refused', () => {
  const before = `${head}m=video 0 RTP/AVP 96\r\n${audio.replace('4000', '5000')}m=text 0 RTP/AVP 98\r\n`;
  assert.equal(inLinesOf(before, head + audio), `${head}m=video 0 RTP/AVP 96\r\n${audio}m=text 0 RTP/AVP 98\r\n`);
  assert.equal(inLinesOf(head + audio, before), before, 'more lines may come');
  assert.equal(inLinesOf('', head + audio), head + audio);
  assert.equal(inLinesOf(before, 'nonsense'), 'nonsense');
});

test('an origin is read and put into the place of another one, whatever stands in it', () => {
  const origin = originOf(head);
  assert.deepEqual(origin, { before: 'o=- 7 ', version: 3n, after: ' IN IP4 192.0.2.1' });
  assert.ok(origin);
  const other = head.replace('7 3 IN IP4 192.0.2.1', '8 1 IN IP4 198.51.100.1');
  assert.equal(withOrigin(other, { ...origin, version: 4n }), head.replace('7 3', '7 4'));
  assert.equal(
    withOrigin(other, { ...origin, before: 'o=$& 7 ' }),
    head.replace('o=- ', () => 'o=$& '),
  );
  assert.equal(originOf('v=0\r\no=- 7 x IN IP4 x\r\n'), undefined);
});
