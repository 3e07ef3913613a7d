import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createLogger } from './log.js';
import { redactSdp, Secret } from './secret.js';

const key = 'MDjPgkS0LtGNLL/iIwtBYrFW/gBpCx5WSfXyxRiq';

test('a secret is given out by reveal() and by nothing else', () => {
  const secret = new Secret(key);
  assert.equal(secret.reveal(), key);
  for (const text of [`${secret}`, JSON.stringify({ secret }), inspect({ secret }), String([secret])]) {
    assert.ok(!text.includes(key), text);
  }
});

test('redactSdp hides RFC 4568 keys and k= lines, with and without lifetime and MKI', () => {
  const sdp = `m=audio 1 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}|2^20|1:32\r\nk=base64:${key}\r\na=label:1\r\n`;
  const redacted = redactSdp(sdp);
  assert.ok(!redacted.includes(key));
  assert.match(redacted, /a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\[redacted\]\|2\^20\|1:32/);
  assert.match(redacted, /a=label:1/);
});

test('the log redacts by key name, at the top and inside objects', () => {
  const lines: string[] = [];
  const log = createLogger({
    name: 'test',
    instance: '1',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  log.info(
    { sdp: key, leg: { crypto: key, authorization: key }, request: { headers: { authorization: key } } },
    'offer',
  );
  assert.equal(lines.length, 1);
  assert.ok(!lines[0]?.includes(key));
  assert.match(lines[0] ?? '', /"service":"test"/);
});
