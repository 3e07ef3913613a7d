// RFC 4475 §3.3 and §3.4: what a user agent does with messages whose syntax is right.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.js';
import { parseUri } from '../message/uri.js';
import { exampleRequest, ScriptedFlow, ScriptedTransports } from '../transaction/scripted-flow.js';
import { TransactionLayer } from '../transaction/transaction-layer.js';
import type { UaDialog } from '../user-agent/ua-dialog.js';
import { giveContactsBack, receive, tortureBytes, tortureRequest, tortureResponse } from './torture-message.js';

const sdp = { accept: ['application/sdp'] };

for (const { clause, name, what } of [
  { clause: '3.3.2', name: 'unkscm', what: 'a Request-URI of a scheme that nobody knows' },
  { clause: '3.3.3', name: 'novelsc', what: 'a Request-URI of a scheme that SIP does not use' },
]) {
  test(`RFC 4475 §${clause} ${name}: ${what} is answered 416`, async () => {
    assert.equal(parseUri(tortureRequest(name).uri).host, '');
    assert.deepEqual((await receive(tortureBytes(name))).statuses, [416]);
  });
}

test('RFC 4475 §3.3.4 unksm2: unknown schemes in To, From and Contact are well-formed; who is no registrar answers 405', async () => {
  const request = tortureRequest('unksm2');
  assert.deepEqual(
    [request.to.uri, request.from.uri, request.contacts[0]?.uri],
    ['isbn:2983792873', 'http://www.example.com', 'name:John_Smith'],
  );
  assert.equal(parseUri(request.to.uri).scheme, 'isbn');
  assert.deepEqual((await receive(tortureBytes('unksm2'))).statuses, [405]);
});

test('RFC 4475 §3.3.5 bext01: 420 names the extensions of Require, not those of Proxy-Require', async () => {
  const { statuses, header } = await receive(tortureBytes('bext01'));
  assert.deepEqual(statuses, [420]);
  assert.deepEqual(header('Unsupported'), ['nothingSupportsThis, nothingSupportsThisEither']);
});

test('RFC 4475 §3.3.6 invut: a body of unknown type is answered 415 with Accept', async () => {
  assert.equal(tortureRequest('invut').contentType?.type, 'application/unknownformat');
  const { statuses, header } = await receive(tortureBytes('invut'), sdp);
  assert.deepEqual([statuses, header('Accept')], [[415], ['application/sdp']]);
});

test('RFC 3261 §8.2.3: a body whose handling is optional, or of a type that is understood, is no reason for 415', async () => {
  const disposition = 'Content-Disposition: render;handling=optional\r\nContent-Length';
  const optional = String(tortureBytes('invut')).replace('Content-Length', disposition);
  assert.deepEqual((await receive(Buffer.from(optional), sdp)).statuses, [480]);
  const understood = { accept: ['application/unknownformat', 'application/sdp'] };
  assert.deepEqual((await receive(tortureBytes('invut'), understood)).statuses, [480]);
});

test('RFC 4475 §3.3.7 regaut01: an unknown authorization scheme parses; who is no registrar answers 405', async () => {
  assert.equal(tortureRequest('regaut01').headers.get('Authorization'), 'NoOneKnowsThisScheme opaque-data=here');
  assert.deepEqual((await receive(tortureBytes('regaut01'))).statuses, [405]);
});

test('RFC 4475 §3.3.10 bcast: a response with a second Via is dropped, even where the first one is ours', async () => {
  assert.equal(tortureResponse('bcast').headers.values('Via').length, 2);
  const { answer, error } = await receive(tortureBytes('bcast'));
  assert.deepEqual([answer, error], ['', undefined]);

  const transports = new ScriptedTransports();
  const clock = new ManualClock();
  const flow = new ScriptedFlow(clock, 'udp');
  const layer = new TransactionLayer({ transports, clock });
  const transaction = layer.request(exampleRequest('INVITE'), flow);
  const seen: string[] = [];
  transaction.on('final', () => seen.push('final'));
  layer.on('strayResponse', () => seen.push('stray'));
  const response = tortureResponse('bcast');
  response.headers.set('Via', transaction.request.headers.get('Via') ?? '', 'SIP/2.0/UDP 255.255.255.255');
  transports.receive(response, flow);
  assert.deepEqual(seen, ['stray']);
  layer.close();
});

test('RFC 4475 §3.3.11 zeromf: an endpoint does not mind a Max-Forwards of 0', async () => {
  assert.deepEqual((await receive(tortureBytes('zeromf'))).statuses, [200]);
});

for (const { clause, name, what, contact } of [
  {
    clause: '3.3.12',
    name: 'cparam01',
    what: 'a parameter behind an address without <> is the header’s',
    contact: '<sip:+19725552222@gw1.example.net>;unknownparam',
  },
  {
    clause: '3.3.13',
    name: 'cparam02',
    what: 'a parameter within <> is the URI’s',
    contact: '<sip:+19725552222@gw1.example.net;unknownparam>',
  },
  {
    clause: '3.3.14',
    name: 'regescrt',
    what: 'an escaped header stays in the URI',
    contact: '<sip:user@example.com?Route=%3Csip:sip.example.com%3E>',
  },
]) {
  test(`RFC 4475 §${clause} ${name}: ${what}, and a registrar gives it back so`, async () => {
    const { statuses, header } = await receive(
      tortureBytes(name),
      { allow: ['REGISTER'] },
      { request: giveContactsBack },
    );
    assert.deepEqual([statuses, header('Contact')], [[200], [contact]]);
  });
}

test('RFC 4475 §3.3.15 sdp01: an Accept that has none of our types is answered 406 with Warning 399', async () => {
  const { statuses, header } = await receive(tortureBytes('sdp01'), sdp);
  assert.deepEqual(statuses, [406]);
  assert.match(header('Warning')[0] ?? '', /^399 /);
});

test('RFC 4475 §3.4.1 inv2543: a client of RFC 2543 has no tag, no branch, no Contact and no Content-Length', async () => {
  const request = tortureRequest('inv2543');
  assert.equal(request.from.parameters.has('tag'), false);
  assert.equal(request.topVia.parameters.has('branch'), false);
  assert.equal(request.body.length, tortureBytes('inv2543').length - tortureBytes('inv2543').indexOf('\r\n\r\n') - 4);
  const dialogs: UaDialog[] = [];
  const { statuses } = await receive(tortureBytes('inv2543'), sdp, {
    invite: (invite) => void dialogs.push(invite.accept()),
  });
  assert.deepEqual(statuses, [200]);
  const [dialog] = dialogs;
  assert.equal(dialog?.state.remoteTarget, 'sip:+13035551111@ift.client.example.net;user=phone');
  assert.deepEqual(dialog?.state.routeSet, ['<sip:UserB@example.com;maddr=ss1.example.com>']);
});
