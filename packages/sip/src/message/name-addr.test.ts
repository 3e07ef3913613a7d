import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNameAddr } from './name-addr.js';
import { parseUri } from './uri.js';

const bad = { code: 'malformed', status: 400 };

test('RFC 3261 §25.1: gen-value and pvalue are never empty, a quoted-string may be', () => {
  assert.throws(() => parseNameAddr('<sip:a@b>;x='), bad);
  assert.throws(() => parseUri('sip:a@b;x='), bad);
  assert.throws(() => parseUri('tel:+1;x='), bad);
  assert.equal(parseNameAddr('<sip:a@b>;x=""').parameters.get('x'), '""');
  assert.equal(parseUri('sip:a@b?x=').headers, 'x=');
});

test('RFC 3261 §25.1: a display name is tokens or a quoted-string; it has no comments', () => {
  assert.throws(() => parseNameAddr('John (Sales) <sip:a@b>'), bad);
  assert.equal(parseNameAddr('"John (Sales)" <sip:a@b>').displayName, 'John (Sales)');
});
