import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createResponse, Headers, SipRequest } from '@sidestream/sip';
import { hasSession, OpenOffers, sdpOf } from './session-description.js';

function request(method: string, cseq: number, type?: string): SipRequest {
  const headers = new Headers([
    ['Via', 'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1'],
    ['From', '<sip:a@127.0.0.1>;tag=1'],
    ['To', '<sip:b@127.0.0.1>;tag=2'],
    ['Call-ID', 'c'],
    ['CSeq', `${cseq} ${method}`],
  ]);
  if (type !== undefined) headers.append('Content-Type', type);
  return new SipRequest({
    method,
    uri: 'sip:b@127.0.0.1',
    headers,
    body: Buffer.from(type === undefined ? '' : 'v=0'),
  });
}

const sdp = 'application/sdp';
const offer = (method: string, cseq: number) => request(method, cseq, sdp);
const described = { headers: new Headers([['Content-Type', sdp]]), body: Buffer.from('v=0') };

test('a session description is one of SDP, alone or among other parts', () => {
  assert.deepEqual(
    ['Application/SDP;x=y', 'multipart/mixed;boundary=b', 'text/plain', undefined].map((type) => [
      hasSession(request('INVITE', 1, type)),
      sdpOf(request('INVITE', 1, type)) !== undefined,
    ]),
    [
      [true, true],
      [true, false],
      [false, false],
      [false, false],
    ],
  );
});

test('RFC 3311 §5.2: 491 while an offer of ours has no answer, 500 while one of the peer has none', () => {
  const offers = new OpenOffers();
  const update = offer('UPDATE', 9);
  assert.equal(offers.refusalOf(update), undefined);
  offers.received(offer('INVITE', 1));
  assert.equal(offers.refusalOf(update), 500);
  offers.sent(offer('PRACK', 1));
  assert.equal(offers.refusalOf(update), 491);
  assert.equal(offers.refusalOf(request('UPDATE', 9)), undefined);
  offers.settledByPeer(1);
  assert.equal(offers.refusalOf(update), 500);
  offers.settledByUs(1);
  assert.equal(offers.refusalOf(update), undefined);
});

test('a provisional response answers an offer by a description, and only by that', () => {
  const offers = new OpenOffers();
  const ours = offer('INVITE', 4);
  const theirs = offer('INVITE', 5);
  const update = offer('UPDATE', 9);
  offers.sent(ours);
  offers.answeredByPeer(createResponse(ours, 180));
  assert.equal(offers.refusalOf(update), 491);
  offers.answeredByPeer(createResponse(ours, 183, described));
  assert.equal(offers.refusalOf(update), undefined);
  offers.received(theirs);
  offers.answeredByUs(createResponse(theirs, 180));
  assert.equal(offers.refusalOf(update), 500);
  offers.answeredByUs(createResponse(theirs, 183, described));
  assert.equal(offers.refusalOf(update), undefined);
});

test('what carries no offer by its method, or none at all, is no offer', () => {
  const offers = new OpenOffers();
  for (const one of [offer('INFO', 1), request('INVITE', 2), request('UPDATE', 3, 'text/plain')]) {
    offers.sent(one);
    offers.received(one);
  }
  assert.equal(offers.refusalOf(offer('UPDATE', 9)), undefined);
});
