import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createResponse } from './create-response.js';
import { Headers } from './headers.js';
import { parseMessage } from './parse-message.js';
import { reasonPhrase } from './reason-phrase.js';
import { salvageRequest } from './salvage-request.js';
import { serialiseMessage } from './serialise-message.js';
import { SipRequest, SipResponse } from './sip-message.js';

const invite = new SipRequest({
  method: 'INVITE',
  uri: 'sip:b@example.com',
  headers: new Headers([
    ['v', 'SIP/2.0/UDP a.example;branch=z9hG4bK1'],
    ['Via', 'SIP/2.0/UDP b.example;branch=z9hG4bK2'],
    ['Record-Route', '<sip:p1;lr>'],
    ['Record-Route', '<sip:p2;lr>'],
    ['From', 'A <sip:a@example.com>;tag=1'],
    ['To', '<sip:b@example.com>'],
    ['Call-ID', 'x'],
    ['CSeq', '1 INVITE'],
    ['Timestamp', '54'],
  ]),
});

describe('createResponse', () => {
  test('RFC 3261 §8.2.6.2: Via, From, To with a tag, Call-ID, CSeq; §12.1.1: Record-Route', () => {
    const response = createResponse(invite, 200, {
      toTag: 'abc',
      headers: new Headers([['Allow', 'BYE']]),
      body: Buffer.from('x'),
    });
    assert.equal(
      String(serialiseMessage(response)),
      'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP b.example;branch=z9hG4bK2\r\n' +
        'Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\nFrom: A <sip:a@example.com>;tag=1\r\n' +
        'To: <sip:b@example.com>;tag=abc\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nAllow: BYE\r\nContent-Length: 1\r\n\r\nx',
    );
  });

  test('RFC 3261 §8.2.6.1: a 100 has no tag and copies Timestamp', () => {
    const response = createResponse(invite, 100, { toTag: 'abc' });
    assert.equal(response.headers.get('To'), '<sip:b@example.com>');
    assert.equal(response.headers.get('Timestamp'), '54');
    assert.equal(response.headers.has('Record-Route'), false);
  });

  test('a tag that is there stays; a failure has no Record-Route', () => {
    const request = invite.clone();
    request.headers.set('To', '<sip:b@example.com>;tag=old');
    const response = createResponse(request, 486, { toTag: 'new', reason: 'Busy' });
    assert.equal(response.headers.get('To'), '<sip:b@example.com>;tag=old');
    assert.equal(response.headers.has('Record-Route'), false);
    assert.equal(response.reason, 'Busy');
  });
});

test('reason phrases have a default for every status', () => {
  assert.deepEqual([180, 488, 299, 799].map(reasonPhrase), ['Ringing', 'Not Acceptable Here', 'Success', 'Unknown']);
});

test('a start line that would break the framing is not written', () => {
  for (const change of [
    { method: 'IN VITE' },
    { method: '' },
    { uri: 'sip:a b' },
    { uri: 'sip:a\r\nX: y' },
    { uri: '<sip:a>' },
  ]) {
    assert.throws(() => serialiseMessage(new SipRequest({ method: 'INVITE', uri: 'sip:a', ...change })), {
      code: 'malformed',
    });
  }
  assert.throws(() => serialiseMessage(new SipResponse({ status: 200, reason: 'OK\r\nX: y' })), { code: 'malformed' });
});

describe('salvageRequest', () => {
  const text = String(serialiseMessage(invite));

  test('gives what an answer to a malformed request needs', () => {
    for (const bad of [
      text.replace('sip:b@example.com SIP/2.0', '<sip:b@example.com> SIP/2.0'),
      text.replace('SIP/2.0\r\n', 'SIP/7.0\r\n').replaceAll('SIP/2.0', 'SIP/7.0'),
      text.replace('CSeq: 1 INVITE', 'CSeq: 1 BYE'),
      text.replace('Content-Length: 0', 'Content-Length: -1'),
      text.replace('<sip:b@example.com>', '"open <sip:b@example.com>'),
      text.replace('Call-ID: x', 'Call-ID: x\r\nCall-ID: y'),
      text.replace('Timestamp', 'Timest amp'),
      text.slice(0, -2),
    ]) {
      assert.throws(() => parseMessage(Buffer.from(bad)));
      const request = salvageRequest(Buffer.from(bad));
      assert.ok(request !== undefined, bad);
      assert.equal(request.topVia.host, 'a.example');
      const answer = createResponse(request, 400, { toTag: 'abc' });
      assert.equal(answer.headers.all('Via').length, 2);
      assert.equal(answer.headers.get('Call-ID'), 'x');
    }
  });

  test('gives what there is: without From, without a usable Call-ID, with a top Via of which only the beginning can be read', () => {
    const salvaged = (bad: string): SipRequest | undefined => salvageRequest(Buffer.from(bad));
    assert.equal(salvaged(text.replace(/^From: .*\r\n/m, ''))?.headers.has('From'), false);
    assert.equal(salvaged(text.replace('Call-ID: x', 'Call-ID: \x00'))?.headers.has('Call-ID'), false);
    const via = salvaged(
      text.replace(/^v: .*\r\n/m, 'v: SIP/2.0/TCP a.example:5070 ;;, branch=x; branch = y\r\n'),
    )?.topVia;
    assert.deepEqual([via?.host, via?.port, via?.parameters.get('branch')], ['a.example', 5070, 'y']);
  });

  test('gives nothing where there is no way back or no request', () => {
    for (const bad of [
      '',
      '\r\n\r\n',
      'garbage',
      text.replace(/^v: .*\r\n/m, 'v: nonsense\r\n'),
      text.replace(/^CSeq: .*\r\n/m, 'CSeq: \r\n'),
      text.replace(/^INVITE sip:b@example.com SIP\/2.0/, 'SIP/2.0 999 Odd'),
    ]) {
      assert.equal(salvageRequest(Buffer.from(bad)), undefined, bad);
    }
  });
});
