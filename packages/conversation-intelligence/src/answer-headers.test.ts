import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxAgeMs, retryAfterMs, validatorsOf } from './answer-headers.js';

const now = Date.parse('2026-11-26T08:00:00Z');
const hour = 3_600_000;

test('RFC 9110 §10.2.3: Retry-After in seconds, or as a date against the answer’s own clock', () => {
  const cases: [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ 'retry-after': '120' }, 120_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '99999999999999999999' }, hour],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'Thu, 26 Nov 2026 08:01:00 GMT' }, 60_000],
    [{ 'retry-after': 'Thu, 26 Nov 2026 07:01:00 GMT' }, 0],
    [{ 'retry-after': 'Thu, 26 Nov 2093 08:01:00 GMT' }, hour],
    [{ 'retry-after': 'Thu, 26 Nov 2093 08:01:00 GMT', date: 'Thu, 26 Nov 2093 08:00:30 GMT' }, 30_000],
  ];
  for (const [headers, expected] of cases)
    assert.equal(retryAfterMs(headers, now, hour), expected, JSON.stringify(headers));
});

test('RFC 9111 §5.2.2.1: max-age among other directives', () => {
  assert.equal(maxAgeMs({ 'cache-control': 'private, Max-Age=90' }, hour), 90_000);
  assert.equal(maxAgeMs({ 'cache-control': 'max-age="5"' }, hour), 5_000);
  assert.equal(maxAgeMs({ 'cache-control': 'x-max-age=90, no-cache' }, hour), undefined);
  assert.equal(maxAgeMs({ 'cache-control': 'max-age=999999999' }, hour), hour);
});

test('validators are those that came', () => {
  assert.deepEqual(validatorsOf({}), {});
  assert.deepEqual(validatorsOf({ etag: '"1"', 'last-modified': 'then' }), { etag: '"1"', lastModified: 'then' });
});
