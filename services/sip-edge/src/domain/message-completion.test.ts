import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMessage, SipRequest, serialiseMessage } from '@sidestream/sip';
import { AppMessageError, type AppRequest, type AppResponse, parseAppMessage } from './app-message.js';
import type { LocalAddress } from './local-address.js';
import { completeInDialogHeaders, completeRequest, completeResponse, wantedToTag } from './message-completion.js';

const udp: LocalAddress = { protocol: 'udp', host: '127.0.0.1', port: 5090 };
const tls: LocalAddress = { protocol: 'tls', host: '127.0.0.1', port: 5091 };
const defaults = { callId: 'made-call-id', fromTag: 'made-tag', cseq: 17 };

function request(...lines: string[]): AppRequest {
  const message = parseAppMessage(Buffer.from(lines.join('\r\n')));
  assert.ok(message.kind === 'request');
  return message;
}

function response(...lines: string[]): AppResponse {
  const message = parseAppMessage(Buffer.from(lines.join('\r\n')));
  assert.ok(message.kind === 'response');
  return message;
}

function wire(message: Parameters<typeof serialiseMessage>[0]): string {
  return serialiseMessage(message).toString('utf8');
}

const invite = parseMessage(
  Buffer.from(
    [
      'INVITE sip:answer@127.0.0.1:5090 SIP/2.0',
      'Via: SIP/2.0/UDP 127.0.0.1:5081;branch=z9hG4bK-1;rport=5081',
      'Record-Route: <sip:10.0.0.1;lr>',
      'From: sipp <sip:sipp@127.0.0.1:5081>;tag=theirs',
      'To: answer <sip:answer@127.0.0.1:5090>',
      'Call-ID: 1-11441@127.0.0.1',
      'CSeq: 1 INVITE',
      'Contact: sip:sipp@127.0.0.1:5081',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  ),
);
assert.ok(invite instanceof SipRequest);

test('an INVITE of createUAC becomes whole: From and Contact get the listener, the body its type', () => {
  const message = request(
    'INVITE sip:bob@127.0.0.1:5070 SIP/2.0',
    'X-Added: yes',
    'from: sip:sipp@localhost',
    'contact: sip:sipp@localhost',
    'Content-Length: 999',
    '',
    'v=0\r\n',
  );
  assert.equal(
    wire(completeRequest(message, udp, defaults)),
    [
      'INVITE sip:bob@127.0.0.1:5070 SIP/2.0',
      'Max-Forwards: 70',
      'From: <sip:sipp@127.0.0.1:5090>;tag=made-tag',
      'To: <sip:bob@127.0.0.1:5070>',
      'Call-ID: made-call-id',
      'CSeq: 17 INVITE',
      'Contact: <sip:sipp@127.0.0.1:5090>',
      'X-Added: yes',
      'Content-Type: application/sdp',
      'Content-Length: 5',
      '',
      'v=0\r\n',
    ].join('\r\n'),
  );
});

test('To without a value of the application keeps the parameters of the URI inside the brackets', () => {
  const message = request('INVITE sip:srs@127.0.0.1:6065;transport=tls SIP/2.0', '', '');
  const completed = completeRequest(message, tls, defaults);
  assert.equal(completed.headers.get('To'), '<sip:srs@127.0.0.1:6065;transport=tls>');
  assert.equal(completed.headers.get('From'), '<sips:127.0.0.1:5091>;tag=made-tag');
  assert.equal(completed.headers.get('Contact'), '<sips:127.0.0.1:5091;transport=tls>');
});

test('tag, Call-ID and CSeq number of the application are kept, as a retry with credentials needs it', () => {
  const message = request(
    'INVITE sip:x@127.0.0.1:6001 SIP/2.0',
    'From: "Bob" <sip:bob@example.com>;tag=same',
    'call-id: same-call',
    'CSeq: 123112226 INVITE',
    '',
    '',
  );
  const { headers } = completeRequest(message, udp, defaults);
  assert.equal(headers.get('From'), '"Bob" <sip:bob@example.com>;tag=same');
  assert.equal(headers.get('Call-ID'), 'same-call');
  assert.equal(headers.get('CSeq'), '123112226 INVITE');
});

test('a Contact of the application keeps user, parameters and feature tags; host and port are ours', () => {
  const given = 'Contact: <sip:mine@9.9.9.9:1234;transport=udp>;+x.y';
  const over = (local: LocalAddress, contact: string) =>
    completeInDialogHeaders(request('INVITE sip:placeholder SIP/2.0', contact, '', ''), local).get('Contact');
  assert.equal(over(udp, given), '<sip:mine@127.0.0.1:5090;transport=udp>;+x.y');
  // drachtio-server leaves the transport out: the far side would then send its BYE over UDP.
  assert.equal(over(tls, 'Contact: <sip:mine@9.9.9.9>'), '<sip:mine@127.0.0.1:5091;transport=tls>');
});

test('what the edge decides is dropped, and a REGISTER keeps its Contact', () => {
  const message = request(
    'REGISTER sip:127.0.0.1:6001 SIP/2.0',
    'Via: SIP/2.0/UDP 6.6.6.6;branch=x',
    'Route: <sip:6.6.6.6>',
    'Record-Route: <sip:6.6.6.6>',
    'RSeq: 9',
    'Contact: <sip:bob@7.7.7.7:5190>;expires=300',
    '',
    '',
  );
  const { headers } = completeRequest(message, udp, defaults);
  for (const name of ['Via', 'Route', 'Record-Route', 'RSeq']) assert.equal(headers.has(name), false, name);
  assert.equal(headers.get('Contact'), '<sip:bob@7.7.7.7:5190>;expires=300');
});

test('@localhost is replaced in From, To, Contact and P-Asserted-Identity, and nowhere else', () => {
  const message = request(
    'INVITE sip:x@127.0.0.1:6001 SIP/2.0',
    'To: <sip:to@localhost>',
    'P-Asserted-Identity: <sip:pai@localhost>',
    'Diversion: <sip:other@localhost>',
    '',
    '',
  );
  const { headers } = completeRequest(message, udp, defaults);
  assert.equal(headers.get('To'), '<sip:to@127.0.0.1:5090>');
  assert.equal(headers.get('P-Asserted-Identity'), '<sip:pai@127.0.0.1:5090>');
  assert.equal(headers.get('Diversion'), '<sip:other@localhost>');
});

test('a body of unknown type is refused in the words of drachtio-server', () => {
  const message = request('MESSAGE sip:x@127.0.0.1:6001 SIP/2.0', '', 'hello');
  assert.throws(() => completeRequest(message, udp, defaults), new AppMessageError('missing content-type'));
  const inDialog = new AppMessageError('Server error: missing content-type');
  assert.throws(() => completeInDialogHeaders(message, udp), inDialog);
});

test('RFC 3261 §8.2.6: a 200 takes Via, From, Call-ID and CSeq of the request, not those of the application', () => {
  const message = response(
    'SIP/2.0 200 OK',
    'Call-ID: forged',
    'cseq: 99 BYE',
    'from: <sip:forged@x>;tag=1',
    'to: answer <sip:answer@127.0.0.1:5090>',
    'X-Ans: 1',
    'Content-Length: 1',
    '',
    'v=0\r\n',
  );
  assert.equal(
    wire(completeResponse(invite, message, udp, 'ours')),
    [
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP 127.0.0.1:5081;branch=z9hG4bK-1;rport=5081',
      'Record-Route: <sip:10.0.0.1;lr>',
      'From: sipp <sip:sipp@127.0.0.1:5081>;tag=theirs',
      'To: answer <sip:answer@127.0.0.1:5090>;tag=ours',
      'Call-ID: 1-11441@127.0.0.1',
      'CSeq: 1 INVITE',
      'Contact: <sip:127.0.0.1:5090>',
      'X-Ans: 1',
      'Content-Type: application/sdp',
      'Content-Length: 5',
      '',
      'v=0\r\n',
    ].join('\r\n'),
  );
});

test('the Contact of a redirection is the application’s', () => {
  const message = response('SIP/2.0 302 Moved', 'Contact: <sip:zz@1.2.3.4>', '', '');
  assert.equal(completeResponse(invite, message, udp, 'ours').headers.get('Contact'), '<sip:zz@1.2.3.4>');
});

test('RFC 3261 §12.1.1: a provisional response that makes a dialog has a Contact', () => {
  const ringing = completeResponse(invite, response('SIP/2.0 180 Ringing', '', ''), udp, 'ours');
  assert.equal(ringing.headers.get('Contact'), '<sip:127.0.0.1:5090>');
});

test('RFC 3311 §5.2: the 2xx to an UPDATE has a Contact, a refusal has none', () => {
  const update = invite.clone();
  update.method = 'UPDATE';
  update.headers.set('CSeq', '2 UPDATE');
  const contact = (line: string) =>
    completeResponse(update, response(line, '', ''), udp, 'ours').headers.get('Contact');
  assert.equal(contact('SIP/2.0 200 OK'), '<sip:127.0.0.1:5090>');
  assert.equal(contact('SIP/2.0 488 Not Acceptable Here'), undefined);
});

test('the application may choose the To tag', () => {
  assert.equal(wantedToTag(response('SIP/2.0 200 OK', 'to: <sip:a@b>;tag=mine', '', '')), 'mine');
  assert.equal(wantedToTag(response('SIP/2.0 200 OK', 'to: <sip:a@b>', '', '')), undefined);
});

for (const [name, text, reason] of [
  ['a start line that is none', 'INVITE foo SIP/2.0\r\n\r\n', 'invalid request-uri: INVITE foo SIP/2.0'],
  [
    'a bare line feed in a value',
    'INVITE sip:a@b SIP/2.0\r\nX-A: b\nRoute: <sip:evil>\r\n\r\n',
    'invalid header: X-A: b',
  ],
  ['a line without a colon', 'INVITE sip:a@b SIP/2.0\r\nnonsense\r\n\r\n', 'invalid header: nonsense'],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => parseAppMessage(Buffer.from(text)),
      (error: unknown) => error instanceof AppMessageError && error.message.startsWith(reason),
    );
  });
}
