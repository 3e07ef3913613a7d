import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SipError } from '../sip-error.js';
import { wantsNotifications } from './refer-sub.js';
import { formatReferTo, parseReferTo } from './refer-to.js';
import { formatReplaces, parseReplaces, type Replaces } from './replaces.js';
import { formatSipfrag, parseSipfrag, referState } from './sipfrag.js';

const token = fc.stringMatching(/^[A-Za-z0-9\-.!%*_+`'~]{1,20}$/);
const replaces: fc.Arbitrary<Replaces> = fc.record(
  {
    callId: fc.stringMatching(/^[A-Za-z0-9\-.!%*_+`'~()<>:"/[\]?{}]{1,20}(@[A-Za-z0-9.-]{1,10})?$/),
    toTag: token,
    fromTag: token,
    earlyOnly: fc.boolean(),
  },
  { noNullPrototype: true },
);

const malformed = (error: unknown) => error instanceof SipError && error.code === 'malformed';

test('RFC 3891 §6.1: Call-ID, one tag each, early-only; what is written is read back', () => {
  assert.deepEqual(parseReplaces('98732@sip.example.com ;from-tag=r33th4x0r ; to-tag=ff87ff'), {
    callId: '98732@sip.example.com',
    toTag: 'ff87ff',
    fromTag: 'r33th4x0r',
    earlyOnly: false,
  });
  assert.equal(parseReplaces('12adf2f34456gs5;to-tag=12345;from-tag=54321;Early-Only;x=y').earlyOnly, true);
  fc.assert(fc.property(replaces, (one) => assert.deepEqual(parseReplaces(formatReplaces(one)), one)));
});

test('Replaces that names no dialog, or several, is malformed', () => {
  const bad = [
    '',
    ';to-tag=a;from-tag=b',
    'x',
    'x;to-tag=a',
    'x;from-tag=a',
    'x;to-tag;from-tag=b',
    'x;to-tag="a";from-tag=b',
  ];
  const worse = [
    'x;to-tag=a;to-tag=b;from-tag=c',
    'x;to-tag=a;from-tag=b, y;to-tag=a;from-tag=b',
    'x y;to-tag=a;from-tag=b',
  ];
  for (const text of [...bad, ...worse, 'x;to-tag=a;from-tag=b;early-only=1', 'x@y@z;to-tag=a;from-tag=b'])
    assert.throws(() => parseReplaces(text), malformed, text);
});

test('RFC 3515 §2.1, RFC 3261 §19.1.5: Refer-To names a URI, a method, and a dialog by an escaped Replaces', () => {
  const plain = parseReferTo('Carol <sip:+4930123;phone-context=x@example.com:5070;user=phone>');
  assert.deepEqual(
    [plain.uri.user, plain.uri.host, plain.method],
    ['+4930123;phone-context=x', 'example.com', 'INVITE'],
  );
  assert.equal(parseReferTo('sip:conference@example.com').uri.user, 'conference');
  assert.equal(parseReferTo('<tel:+4930123>').uri.user, '+4930123');
  assert.equal(parseReferTo('<sip:a@b;method=bye>').method, 'BYE');
  const attended =
    '<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>';
  assert.deepEqual(parseReferTo(attended).replaces, {
    callId: '12345@192.168.118.3',
    toTag: '12345',
    fromTag: '5FFE-3994',
    earlyOnly: false,
  });
  const spelled = '<sip:a@b?Accept-Contact=%3Baudio&%72eplaces=x%3Bto-tag%3Da%3Bfrom-tag%3Db%3Bearly-only>';
  assert.equal(parseReferTo(spelled).replaces?.earlyOnly, true);
  fc.assert(
    fc.property(replaces, (one) => {
      const uri = parseReferTo('<sip:a@b>').uri;
      assert.deepEqual(parseReferTo(formatReferTo({ uri, replaces: one })).replaces, one);
    }),
  );
});

test('Refer-To with several values, a bad escape, a hidden line end or a bad Replaces is malformed', () => {
  for (const text of [
    '',
    'nonsense',
    '<sip:a@b>, <sip:c@d>',
    '<sip:a@b?Replaces=%>',
    '<sip:a@b?Replaces=%ff%3Bto-tag%3Da%3Bfrom-tag%3Db>',
    '<sip:a@b?Replaces=x%3Bto-tag%3Da%3Bfrom-tag%3Db%0d%0aRoute:%20%3Csip:evil%3E>',
    '<sip:a@b?X%0d%0aY=z>',
    '<sip:a@b?Replaces=x&Replaces=y>',
    '<sip:a@b?Replaces>',
  ])
    assert.throws(() => parseReferTo(text), malformed, text);
});

test('RFC 3515 §2.4.5: a fragment begins with the status line; RFC 3515 §2.4.7: a final status ends the subscription', () => {
  assert.deepEqual(parseSipfrag('SIP/2.0 180 Ringing\r\nContact: <sip:c@d>\r\n'), { status: 180, reason: 'Ringing' });
  assert.deepEqual(parseSipfrag('SIP/2.0 200'), { status: 200, reason: '' });
  assert.deepEqual(parseSipfrag(formatSipfrag(486)), { status: 486, reason: 'Busy Here' });
  for (const text of [
    '',
    'INVITE sip:a SIP/2.0',
    '\r\nSIP/2.0 200 OK',
    'SIP/2.0 099 X',
    'SIP/2.0 2000 X',
    'SIP/2.0 700 X',
  ])
    assert.equal(parseSipfrag(text), undefined, text);
  assert.deepEqual([referState(100, 32), referState(603)], ['active;expires=32', 'terminated;reason=noresource']);
});

test('RFC 4488 §4: Refer-Sub false wants no NOTIFY; anything but true and false is malformed', () => {
  const values = [undefined, 'true', ' FALSE ', 'false;x=y'];
  assert.deepEqual(values.map(wantsNotifications), [true, true, false, false]);
  for (const text of ['', 'no', 'false true', 'false;;', 'falsetrue'])
    assert.throws(() => wantsNotifications(text), malformed, text);
});

test('what strangers write is read or malformed, nothing else', () => {
  const piece = fc.constantFrom(
    ';',
    ',',
    '<',
    '>',
    '"',
    '?',
    '&',
    '=',
    '%',
    '%0d%0a',
    '%3B',
    'Replaces=',
    'to-tag=a',
    'sip:a@b',
    ' ',
    '\\',
    '\0',
    'é',
  );
  const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
  const readers = [parseReplaces, parseReferTo, wantsNotifications, parseSipfrag] as const;
  fc.assert(
    fc.property(text, (value) => {
      for (const read of readers) {
        try {
          read(value);
        } catch (error) {
          assert.ok(malformed(error), String(error));
        }
      }
    }),
  );
});
