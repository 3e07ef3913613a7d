// RFC 4475 §3.1.1: valid messages, every one with what its clause says of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMessage } from '../message/parse-message.js';
import { serialiseMessage } from '../message/serialise-message.js';
import { parseUri } from '../message/uri.js';
import { compareUri } from '../message/uri-comparison.js';
import { parseVia } from '../message/via.js';
import { giveContactsBack, receive, tortureBytes, tortureRequest, tortureResponse } from './torture-message.js';

test('RFC 4475 §3.1.1.1 wsinv: a short tortuous INVITE', async () => {
  const invite = tortureRequest('wsinv');
  assert.equal(invite.uri, 'sip:vivekg@chair-dnrc.example.com;unknownparam');
  assert.deepEqual(invite.cseq, { number: 9, method: 'INVITE' });
  assert.equal(invite.headers.get('Max-Forwards'), '0068');
  assert.deepEqual(
    invite.headers.values('Via').map((via) => parseVia(via).host),
    ['192.0.2.2', 'spindle.example.com', '192.168.255.111'],
  );
  assert.equal(invite.topVia.parameters.get('branch'), '390skdjuw');
  assert.equal(invite.to.parameters.get('tag'), '1918181833n');
  assert.equal(invite.from.displayName, 'J Rosenberg \\"');
  assert.equal(invite.from.parameters.get('tag'), '98asjd8');
  assert.equal(invite.headers.get('Subject'), '');
  assert.equal(invite.headers.get('NewFangledHeader'), 'newfangled value continued newfangled value');
  assert.equal(invite.headers.get('UnknownHeaderWithUnusualValue'), ';;,,;;,;');
  assert.deepEqual(invite.contacts, [
    {
      displayName: 'Quoted string ""',
      uri: 'sip:jdrosen@example.com',
      parameters: new Map([
        ['newparam', 'newvalue'],
        ['secondparam', null],
        ['q', '0.33'],
      ]),
    },
  ]);
  assert.equal(invite.contentType?.type, 'application/sdp');
  assert.equal(invite.body.length, 150);
  const again = parseMessage(serialiseMessage(invite));
  assert.deepEqual([again.topVia, again.from, again.body], [invite.topVia, invite.from, invite.body]);
  // Well-formed, and within a dialog that nobody has.
  assert.deepEqual((await receive(tortureBytes('wsinv'))).statuses, [481]);
});

test('RFC 4475 §3.1.1.2 intmeth: a wide range of valid characters; an endpoint answers 501 with Allow', async () => {
  const request = tortureRequest('intmeth');
  assert.equal(request.method, "!interesting-Method0123456789_*+`.%indeed'~");
  assert.deepEqual(parseUri(request.uri), {
    scheme: 'sip',
    user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
    password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
    host: 'example.com',
    port: undefined,
    parameters: new Map(),
    headers: undefined,
  });
  assert.equal(request.topVia.parameters.get('branch'), "z9hG4bK-.!%66*_+`'~");
  assert.equal(request.to.displayName, 'BEL:\x07 NUL:\x00 DEL:\x7f');
  assert.equal(request.from.displayName, "token1~` token2'+_ token3*%!.-");
  assert.equal(request.from.parameters.get("fromparam''~+*_!.-%"), '"работающий"');
  assert.equal(request.from.parameters.get('tag'), "_token~1'+`*%!-.");
  assert.equal(request.callId, 'intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{');
  // The value begins with a byte order mark, which stays; only the space after a colon is ours.
  assert.equal(request.headers.get("extensionHeader-!.%*+_`'~"), '\ufeff大停電');
  assert.equal(String(serialiseMessage(request)), String(tortureBytes('intmeth')).replace(':\ufeff', ': \ufeff'));
  const { statuses, header } = await receive(tortureBytes('intmeth'));
  assert.deepEqual(statuses, [501]);
  assert.match(header('Allow')[0] ?? '', /INVITE/);
});

test('RFC 4475 §3.1.1.3 esc01: escapes mean what they stand for, and are never resolved twice', async () => {
  const request = tortureRequest('esc01');
  const { user, host } = parseUri(request.uri);
  assert.deepEqual([user, host], ['sips%3Auser%40example.com', 'example.net']);
  assert.equal(compareUri(parseUri(request.to.uri), parseUri('sip:user@example.com')), true);
  assert.equal(request.from.uri, 'sip:I%20have%20spaces@example.net');
  const contact = parseUri(request.contacts[0]?.uri ?? '');
  assert.equal(contact.parameters.has('lr'), true);
  const same = (text: string): boolean => compareUri(contact, parseUri(text));
  assert.equal(same('sip:caller@host5.example.net;lr;name=value%2541'), true);
  assert.equal(same('sip:caller@host5.example.net;lr;name=valueA'), false);
  assert.deepEqual((await receive(tortureBytes('esc01'))).statuses, [480]);
});

test('RFC 4475 §3.1.1.4 escnull: escaped nulls shorten nothing; two contacts are registered', async () => {
  const request = tortureRequest('escnull');
  assert.equal(parseUri(request.to.uri).user, 'null-%00-null');
  const [one, two] = request.contacts.map(({ uri }) => parseUri(uri));
  assert.ok(one !== undefined && two !== undefined);
  assert.equal(compareUri(one, two), false);
  const { header } = await receive(tortureBytes('escnull'), { allow: ['REGISTER'] }, { request: giveContactsBack });
  assert.deepEqual(header('Contact'), ['<sip:%00@host5.example.com>', '<sip:%00%00@host5.example.com>']);
});

test('RFC 4475 §3.1.1.5 esc02: % is no escape in a method, a display name or a header name', async () => {
  const request = tortureRequest('esc02');
  assert.equal(request.method, 'RE%47IST%45R');
  assert.deepEqual([request.to.displayName, request.from.displayName], ['%Z%45', '%Z%45']);
  assert.equal(request.contacts.length, 2);
  assert.equal(request.headers.get('C%6Fntact'), '<sip:alias2@host2.example.com>');
  assert.deepEqual((await receive(tortureBytes('esc02'), { allow: ['REGISTER'] })).statuses, [501]);
});

test('RFC 4475 §3.1.1.6 lwsdisp: no white space between display name and <', async () => {
  assert.equal(tortureRequest('lwsdisp').from.displayName, 'caller');
  assert.deepEqual((await receive(tortureBytes('lwsdisp'))).statuses, [200]);
});

test('RFC 4475 §3.1.1.7 longreq: long values and many of them', async () => {
  const request = tortureRequest('longreq');
  assert.equal(request.to.displayName, `I have a user name of ${'extreme'.repeat(10)} proportion`);
  const { port, parameters } = parseUri(request.to.uri);
  assert.equal(port, 6000);
  assert.equal(parameters.get('unknownparam1'), `very${'long'.repeat(20)}value`);
  assert.equal(parameters.get(`longparam${'name'.repeat(25)}`), 'shortvalue');
  assert.equal(parameters.get(`very${'long'.repeat(25)}parameternamewithnovalue`), null);
  assert.equal(request.from.parameters.get('tag'), `12${'982'.repeat(50)}424`);
  assert.equal(request.callId, `longreq.one${'really'.repeat(20)}longcallid`);
  const vias = request.headers.values('Via').map(parseVia);
  assert.equal(vias.length, 34);
  assert.equal(vias.at(-1)?.parameters.get('branch'), `very${'long'.repeat(50)}branchvalue`);
  assert.equal(request.contacts[0]?.uri, `sip:${'amazinglylongcallername'.repeat(5)}@host5.example.net`);
  assert.equal(request.body.length, 150);
  const { statuses, header } = await receive(tortureBytes('longreq'));
  assert.deepEqual(statuses, [480]);
  assert.equal(header('Via').length, 34);
});

test('RFC 4475 §3.1.1.8 dblreq: what follows the body in a datagram is noise', async () => {
  const request = tortureRequest('dblreq');
  assert.equal(request.method, 'REGISTER');
  assert.equal(request.body.length, 0);
  const { statuses, header } = await receive(tortureBytes('dblreq'));
  assert.deepEqual([statuses, header('CSeq')], [[405], ['8 REGISTER']]);
});

test('RFC 4475 §3.1.1.9 semiuri: semicolons in the user part', async () => {
  const { user, host, parameters } = parseUri(tortureRequest('semiuri').uri);
  assert.deepEqual([user, host, parameters.size], ['user;par=u%40example.net', 'example.com', 0]);
  assert.deepEqual((await receive(tortureBytes('semiuri'))).statuses, [200]);
});

test('RFC 4475 §3.1.1.10 transports: every known transport and one unknown in Via', async () => {
  const vias = tortureRequest('transports').headers.values('Via');
  assert.deepEqual(
    vias.map((via) => parseVia(via).transport),
    ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'],
  );
  const { statuses, header } = await receive(tortureBytes('transports'));
  assert.deepEqual(statuses, [200]);
  assert.deepEqual(header('Via').slice(1), vias.slice(1));
});

test('RFC 4475 §3.1.1.11 mpart01: a binary multipart body is kept byte for byte', async () => {
  const request = tortureRequest('mpart01');
  assert.equal(request.contentType?.type, 'multipart/mixed');
  assert.equal(request.contentType?.parameters.get('boundary'), '7a9cbec02ceef655');
  assert.equal(request.body.length, 553);
  assert.deepEqual(request.body, tortureBytes('mpart01').subarray(-553));
  assert.ok(request.body.includes(0));
  assert.deepEqual(parseMessage(serialiseMessage(request), { stream: true }).body, request.body);
  assert.deepEqual((await receive(tortureBytes('mpart01'))).statuses, [405]);
});

test('RFC 4475 §3.1.1.12 unreason: a reason phrase in UTF-8', async () => {
  const response = tortureResponse('unreason');
  assert.equal(response.status, 200);
  assert.equal(response.reason, '= 2**3 * 5**2 но сто девяносто девять - простое');
  assert.equal(response.body.length, 154);
  assert.ok(String(serialiseMessage(response)).startsWith(`SIP/2.0 200 ${response.reason}\r\n`));
  assert.deepEqual((await receive(tortureBytes('unreason'))).statuses, []);
});

test('RFC 4475 §3.1.1.13 noreason: an empty reason phrase keeps its space', () => {
  const response = tortureResponse('noreason');
  assert.deepEqual([response.status, response.reason], [100, '']);
  assert.ok(String(serialiseMessage(response)).startsWith('SIP/2.0 100 \r\n'));
});
