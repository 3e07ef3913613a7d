// RFC 5118: torture messages for IPv6, every one with what its clause says of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMessage } from '../message/parse-message.js';
import { parseUri } from '../message/uri.js';
import { parseVia } from '../message/via.js';
import { receive, tortureBytes, tortureRequest } from './torture-message.js';

const bytes = (name: string): Buffer => tortureBytes(name, 'rfc5118');
const request = (name: string) => tortureRequest(name, 'rfc5118');
const target = (name: string) => {
  const { host, port } = parseUri(request(name).uri);
  return [host, port];
};
const acceptInvite = { invite: (invite: { accept(): unknown }): void => void invite.accept() };

test('RFC 5118 §4.1 ipv6-good: an IPv6 reference in Request-URI, Via and Contact', async () => {
  assert.deepEqual(target('ipv6-good'), ['2001:db8::10', undefined]);
  assert.equal(request('ipv6-good').topVia.host, '2001:db8::9:1');
  assert.equal(parseUri(request('ipv6-good').contacts[0]?.uri ?? '').host, '2001:db8::1');
  const { statuses, header } = await receive(bytes('ipv6-good'));
  assert.deepEqual(statuses, [405]);
  assert.match(header('Via')[0] ?? '', /^SIP\/2\.0\/UDP \[2001:db8::9:1\];/);
});

test('RFC 5118 §4.2 ipv6-bad: an address without brackets is answered 400', async () => {
  assert.throws(() => parseMessage(bytes('ipv6-bad')), { code: 'malformed', status: 400 });
  assert.deepEqual((await receive(bytes('ipv6-bad'))).statuses, [400]);
});

test('RFC 5118 §4.3 port-ambiguous: a port within the brackets is part of the address', () => {
  assert.deepEqual(target('port-ambiguous'), ['2001:db8::10:5070', undefined]);
});

test('RFC 5118 §4.4 port-unambiguous: a port behind the brackets is the port', () => {
  assert.deepEqual(target('port-unambiguous'), ['2001:db8::10', 5070]);
});

for (const { name, received, status } of [
  { name: 'via-received-param-with-delim', received: '[2001:db8::9:255]', status: 481 },
  { name: 'via-received-param-no-delim', received: '2001:db8::9:255', status: 200 },
]) {
  test(`RFC 5118 §4.5 ${name}: received=${received} is taken`, async () => {
    const { parameters } = request(name).topVia;
    assert.equal(parameters.get('received'), received);
    assert.match(parameters.get('branch') ?? '', /^z9hG4bKas3/);
    assert.deepEqual((await receive(bytes(name))).statuses, [status]);
  });
}

for (const { clause, name } of [
  { clause: '4.6', name: 'ipv6-in-sdp' },
  { clause: '4.8', name: 'mult-ip-in-sdp' },
]) {
  test(`RFC 5118 §${clause} ${name}: IPv6 addresses in the body are no concern of the header`, async () => {
    assert.equal(parseUri(request(name).to.uri).host, '2001:db8::10');
    assert.match(String(request(name).body), /^c=IN IP6 2001:db8::/m);
    assert.deepEqual((await receive(bytes(name), { accept: ['application/sdp'] }, acceptInvite)).statuses, [200]);
  });
}

test('RFC 5118 §4.7 mult-ip-in-header: IPv4 and IPv6 in one list of Via', async () => {
  const vias = request('mult-ip-in-header').headers.values('Via');
  assert.deepEqual(
    vias.map((via) => [parseVia(via).host, parseVia(via).port]),
    [
      ['2001:db8::9:1', 6050],
      ['192.0.2.1', undefined],
      ['2001:db8::9:255', undefined],
    ],
  );
  const { statuses, header, answeredTo } = await receive(bytes('mult-ip-in-header'));
  assert.deepEqual([statuses, answeredTo.port, header('Via').slice(1)], [[481], 6050, vias.slice(1)]);
});

test('RFC 5118 §4.9 ipv4-mapped-ipv6: IPv4-mapped addresses in Via, Contact and SDP', async () => {
  const invite = request('ipv4-mapped-ipv6');
  assert.deepEqual([invite.topVia.host, invite.topVia.port], ['::ffff:192.0.2.10', 19823]);
  assert.equal(parseUri(invite.contacts[0]?.uri ?? '').host, '::ffff:192.0.2.2');
  const { statuses, answeredTo } = await receive(bytes('ipv4-mapped-ipv6'), {}, acceptInvite);
  assert.deepEqual([statuses, answeredTo.port], [[200], 19823]);
});

for (const name of ['ipv6-bug-abnf-3-colons', 'ipv6-correct-abnf-2-colons']) {
  test(`RFC 5118 §4.10 ${name}: a third colon, which the grammar of RFC 3261 allowed, is ignored`, async () => {
    assert.deepEqual(target(name), ['2001:db8::192.0.2.1', undefined]);
    assert.deepEqual((await receive(bytes(name))).statuses, [200]);
  });
}
