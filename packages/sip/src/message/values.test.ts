import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { quote, splitList, unquote } from './grammar.js';
import { Headers } from './headers.js';
import { formatNameAddr, parseNameAddr, tagOf } from './name-addr.js';
import { formatUri, parseUri } from './uri.js';
import { compareUri } from './uri-comparison.js';
import { formatVia, parseVia } from './via.js';

const bad = { code: 'malformed', status: 400 };

describe('URI', () => {
  test('RFC 3261 §19.1.3: every part is read, and written back as it was', () => {
    for (const text of [
      'sip:alice@atlanta.com',
      'sip:alice:secretword@atlanta.com;transport=tcp',
      'sips:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:+1-212-555-1212:1234@gateway.com;user=phone',
      'sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com',
      'sip:alice;day=tuesday@atlanta.com',
      'sip:[2001:db8::10]:5070;maddr=[2001:db8::1];lr',
      'sip:a@b;[x]/:&+$=[x]/:&+$',
      'tel:+1-201-555-0123;phone-context=example.com',
      'urn:service:sos',
    ]) {
      assert.equal(formatUri(parseUri(text)), text);
    }
    const uri = parseUri('SIPS:al%69ce;day=tuesday:p:w@[2001:DB8::1]:5070;lr;x=y?a=b');
    assert.deepEqual(
      [uri.scheme, uri.user, uri.password, uri.host, uri.port, [...uri.parameters], uri.headers],
      [
        'sips',
        'al%69ce;day=tuesday',
        'p:w',
        '2001:DB8::1',
        5070,
        [
          ['lr', null],
          ['x', 'y'],
        ],
        'a=b',
      ],
    );
    assert.deepEqual(parseUri('tel:+1;x=y').user, '+1');
  });

  test('RFC 4475 §3.1.1.9 semiuri: ";" and "?" in the user part are no parameters', () => {
    const uri = parseUri('sip:user;par=u%40example.net?a@example.com');
    assert.deepEqual([uri.user, uri.host, uri.parameters.size], ['user;par=u%40example.net?a', 'example.com', 0]);
  });

  test('what is no URI is refused', () => {
    for (const text of [
      '',
      'alice',
      'sip:',
      'sip:@host',
      'sip:a@',
      'sip:a@b c',
      'sip:a@b@c',
      'sip:a@b:99999',
      'sip:[::g]',
      'sip:a@b;',
      'sip:a@b;lr;lr',
      '<sip:a@b>',
    ]) {
      assert.throws(() => parseUri(text), bad, text);
    }
  });

  test('RFC 3261 §19.1.4, RFC 5954 §4.2: equal pairs', () => {
    for (const [a, b] of [
      ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
      ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
      ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
      ['sip:a@b;%4C%72;n%61me=v%61lue', 'sip:a@b;lr;name=value'],
      ['sip:bob@[::ffff:192.0.2.128]', 'sip:bob@[::ffff:c000:280]'],
      ['sip:bob@[2001:db8::9:1]', 'sip:bob@[2001:db8::9:01]'],
      ['sip:bob@[0:0:0:0:0:FFFF:129.144.52.38]', 'sip:bob@[::FFFF:129.144.52.38]'],
      [
        'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
        'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
      ],
      [
        'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
        'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
      ],
    ] as const) {
      assert.equal(compareUri(parseUri(a), parseUri(b)), true, `${a} ${b}`);
      assert.equal(compareUri(parseUri(b), parseUri(a)), true, `${b} ${a}`);
    }
  });

  test('RFC 3261 §19.1.4: pairs that differ', () => {
    for (const [a, b] of [
      ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
      ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
      ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
      ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
      ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
      ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
      ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
      ['sip:a@b', 'sips:a@b'],
      ['sip:a:p@b', 'sip:a@b'],
      ['sip:a@[2001:db8::1]', 'sip:a@[2001:db8::2]'],
    ] as const) {
      assert.equal(compareUri(parseUri(a), parseUri(b)), false, `${a} ${b}`);
      assert.equal(compareUri(parseUri(b), parseUri(a)), false, `${b} ${a}`);
    }
  });
});

describe('name-addr', () => {
  test('RFC 3261 §20.10: with and without brackets; parameters without brackets are the header’s', () => {
    assert.deepEqual(parseNameAddr('sip:a@b;tag=1'), { uri: 'sip:a@b', parameters: new Map([['tag', '1']]) });
    const parsed = parseNameAddr('Mr Watson <sip:a@b;transport=tcp?x=y> ; TAG = abc;+sip.src;q=0.1');
    assert.equal(parsed.displayName, 'Mr Watson');
    assert.equal(parsed.uri, 'sip:a@b;transport=tcp?x=y');
    assert.equal(tagOf(parsed), 'abc');
    assert.equal(parsed.parameters.get('+sip.src'), null);
    assert.equal(parseNameAddr('sip:a@b;x="<"').parameters.get('x'), '"<"');
  });

  test('RFC 4475 §3.1.1.6 lwsdisp: no space before the bracket', () => {
    assert.equal(parseNameAddr('caller<sip:caller@example.com>;tag=323').displayName, 'caller');
  });

  test('a display name is quoted on the way out whatever is in it', () => {
    for (const displayName of [
      '',
      'Alice',
      'a "quoted" \\ name',
      '<sip:evil@example.com>',
      'ü, 日本;',
      'tab\tbell\x07',
    ]) {
      const address = { displayName, uri: 'sip:a@b', parameters: new Map([['tag', '1']]) };
      assert.deepEqual(parseNameAddr(formatNameAddr(address)), address);
    }
    assert.throws(() => formatNameAddr({ displayName: 'a\r\nX: y', uri: 'sip:a@b', parameters: new Map() }), bad);
  });

  test('what is no address is refused', () => {
    for (const text of [
      '',
      'bob',
      '<>',
      '<sip:a@b',
      '"a <sip:a@b>',
      '"a" sip:a@b',
      '"a" b <sip:a@b>',
      '<sip:a@b> x',
      'a;b <sip:a@b>',
      '<sip:a b@c>',
    ]) {
      assert.throws(() => parseNameAddr(text), bad, text);
    }
  });
});

test('Via: written back as it was read; transport in upper case', () => {
  for (const text of [
    'SIP/2.0/UDP 192.0.2.1',
    'SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bK1;rport;received=2001:db8::2',
    'SIP/7.0/UDP c.example.com;branch=z9hG4bK1',
  ]) {
    assert.equal(formatVia(parseVia(text)), text);
  }
  assert.equal(parseVia('sip/2.0/tcp host').transport, 'TCP');
  for (const text of [
    '',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ;x',
    'HTTP/2.0/UDP a',
    'SIP/2.0/UDP a b',
    'SIP/2.0/UDP 2001:db8::1',
  ]) {
    assert.throws(() => parseVia(text), bad, text);
  }
});

test('comma lists are split at the top level only; quoting is undone exactly', () => {
  assert.deepEqual(splitList('"a,\\",b" <sip:x,y@z>;p=1 , <sip:c@d>,e'), [
    '"a,\\",b" <sip:x,y@z>;p=1',
    '<sip:c@d>',
    'e',
  ]);
  assert.deepEqual(splitList('a,,b'), ['a', '', 'b']);
  assert.deepEqual([splitList(''), splitList('  '), splitList('a, "open')], [[], [], ['a', '"open']]);
  assert.equal(unquote(quote('a"b\\c\x00')), 'a"b\\c\x00');
  assert.equal(unquote('plain'), 'plain');
});

describe('Headers', () => {
  test('keep order and spelling, match any case and compact forms', () => {
    const headers = new Headers([
      ['v', '1'],
      ['X-Thing', 'a'],
      ['Via', '2, 3'],
      ['x-thing', ' b '],
    ]);
    assert.deepEqual(
      [...headers],
      [
        ['v', '1'],
        ['X-Thing', 'a'],
        ['Via', '2, 3'],
        ['x-thing', 'b'],
      ],
    );
    assert.equal(headers.get('VIA'), '1');
    assert.deepEqual(headers.all('X-THING'), ['a', 'b']);
    assert.deepEqual(headers.values('Via'), ['1', '2', '3']);
    assert.equal(headers.get('nothing'), undefined);
    assert.equal(headers.count('v'), 2);
  });

  test('set replaces in place, prepend goes above its kind, delete takes all', () => {
    const headers = new Headers([
      ['A', '1'],
      ['Via', '1'],
      ['B', '1'],
      ['v', '2'],
    ]);
    headers.set('Via', 'x', 'y').prepend('Via', 'w').append('C', '1').prepend('Route', 'r');
    assert.deepEqual(
      [...headers].map(([name, value]) => `${name}=${value}`),
      ['Route=r', 'A=1', 'Via=w', 'Via=x', 'Via=y', 'B=1', 'C=1'],
    );
    headers.delete('v').set('A');
    assert.deepEqual(
      [...headers].map(([name]) => name),
      ['Route', 'B', 'C'],
    );
  });

  test('a line end in a value, or a name that is no token, is refused', () => {
    for (const value of ['a\r\nVia: x', 'a\nb', 'a\rb']) {
      assert.throws(() => new Headers([['X', value]]), bad);
      assert.throws(() => new Headers().set('X', value), bad);
      assert.throws(() => new Headers().prepend('X', value), bad);
    }
    for (const name of ['', 'a b', 'a:b', 'a\r\n']) assert.throws(() => new Headers().append(name, 'x'), bad);
  });
});
