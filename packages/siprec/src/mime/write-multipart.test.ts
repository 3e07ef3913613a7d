import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeMultipart } from './write-multipart.js';

test('RFC 2046 §5.1.1: the boundary is quoted, random, and in none of the parts', () => {
  const proposals = ['taken', 'inside', 'free'];
  const { contentType, body } = writeMultipart(
    [
      { contentType: 'text/plain', body: 'a taken one' },
      { contentType: 'text/plain', body: Buffer.from('--inside') },
    ],
    () => proposals.shift() ?? '',
  );
  assert.equal(contentType, 'multipart/mixed;boundary="free"');
  assert.equal(
    body.toString(),
    '--free\r\nContent-Type: text/plain\r\n\r\na taken one\r\n--free\r\nContent-Type: text/plain\r\n\r\n--inside\r\n--free--\r\n',
  );
  const [first, second] = [writeMultipart([]), writeMultipart([])];
  assert.notEqual(first.contentType, second.contentType);
});
