import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createResponse } from '../message/create-response.js';
import { Headers } from '../message/headers.js';
import { tagOf } from '../message/name-addr.js';
import { SipRequest, type SipResponse } from '../message/sip-message.js';
import { dialogId, dialogIdOf } from './dialog-id.js';
import { receiveInDialog, requestInDialog, responseInDialog } from './dialog-requests.js';
import { type DialogState, dialogFromRequest, dialogFromResponse, nextHopUri } from './dialog-state.js';

function invite(extra: readonly (readonly [string, string])[] = [], uri = 'sip:srs@recorder.example.com'): SipRequest {
  const headers = new Headers([
    ['Via', 'SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1'],
    ['From', '"Side stream" <sip:src@example.org>;tag=local'],
    ['To', '<sip:srs@recorder.example.com>'],
    ['Call-ID', 'c0ffee'],
    ['CSeq', '7 INVITE'],
    ['Contact', '<sip:src@192.0.2.1:5061;transport=tls>;+sip.src'],
    ...extra,
  ]);
  return new SipRequest({ method: 'INVITE', uri, headers });
}

function answer(request: SipRequest, status: number, extra: readonly (readonly [string, string])[] = []): SipResponse {
  return createResponse(request, status, {
    toTag: 'remote',
    headers: new Headers([['Contact', '<sip:srs@198.51.100.5:5061;transport=tls>;+sip.srs'], ...extra]),
  });
}

function uac(): DialogState {
  const request = invite();
  return dialogFromResponse(request, answer(request, 200));
}

function peerRequest(
  dialog: DialogState,
  method: string,
  cseq: number,
  extra: readonly (readonly [string, string])[] = [],
) {
  const headers = new Headers([
    ['From', `<${dialog.remoteUri}>;tag=${dialog.remoteTag}`],
    ['To', `<${dialog.localUri}>;tag=${dialog.localTag}`],
    ['Call-ID', dialog.callId],
    ['CSeq', `${cseq} ${method}`],
    ...extra,
  ]);
  return new SipRequest({ method, uri: 'sip:src@192.0.2.1', headers });
}

test('RFC 3261 §12.1.2: the UAC takes tags, target, reversed route set and CSeq from request and response', () => {
  const request = invite();
  const response = answer(request, 200, [
    ['Record-Route', '<sip:p2.example.com;lr>, <sip:p1.example.com;lr>;x=1'],
    ['Record-Route', '<sip:p0.example.org;lr>'],
  ]);
  assert.deepEqual(dialogFromResponse(request, response), {
    callId: 'c0ffee',
    localTag: 'local',
    remoteTag: 'remote',
    localUri: 'sip:src@example.org',
    remoteUri: 'sip:srs@recorder.example.com',
    localCseq: 7,
    remoteTarget: 'sip:srs@198.51.100.5:5061;transport=tls',
    routeSet: ['<sip:p0.example.org;lr>', '<sip:p1.example.com;lr>;x=1', '<sip:p2.example.com;lr>'],
    secure: false,
    role: 'uac',
    state: 'confirmed',
    localContact: '<sip:src@192.0.2.1:5061;transport=tls>;+sip.src',
  } satisfies DialogState);
  assert.equal(dialogFromResponse(request, answer(request, 183)).state, 'early');
});

test('RFC 3261 §12.1.1: the UAS takes the route set in order and answers a SIPS request with a SIPS Contact', () => {
  const request = invite(
    [
      ['Record-Route', '<sip:p2.example.com;lr>'],
      ['Record-Route', '<sip:p1.example.com;lr>'],
    ],
    'sips:srs@recorder.example.com',
  );
  const dialog = dialogFromRequest(request, 'mine', '<sip:srs@198.51.100.5:5061>;+sip.srs', 'confirmed');
  assert.deepEqual(dialog.routeSet, ['<sip:p2.example.com;lr>', '<sip:p1.example.com;lr>']);
  assert.equal(dialog.localTag, 'mine');
  assert.equal(dialog.remoteTag, 'local');
  assert.equal(dialog.remoteCseq, 7);
  assert.equal(dialog.secure, true);
  assert.equal(dialog.localContact, '<sips:srs@198.51.100.5:5061>;+sip.srs');
});

test('RFC 3261 §12.1: without a usable Contact there is no dialog', () => {
  const request = invite();
  const response = answer(request, 200);
  response.headers.delete('Contact');
  assert.throws(() => dialogFromResponse(request, response), { code: 'malformed' });
  const bare = invite();
  bare.headers.set('Contact', '*');
  assert.throws(() => dialogFromRequest(bare, 'mine', '<sip:x@y>', 'early'), { code: 'malformed' });
});

test('RFC 3261 §12.2.1.1: a request goes to the remote target by way of loose routers', () => {
  const dialog = { ...uac(), routeSet: ['<sip:p0.example.org;lr>', '<sip:p1.example.com;lr>'] };
  const { request, dialog: after } = requestInDialog(dialog, 'BYE', { body: Buffer.from('x') });
  assert.equal(request.uri, 'sip:srs@198.51.100.5:5061;transport=tls');
  assert.deepEqual(request.headers.all('Route'), ['<sip:p0.example.org;lr>', '<sip:p1.example.com;lr>']);
  assert.equal(request.headers.get('CSeq'), '8 BYE');
  assert.equal(request.from.uri, 'sip:src@example.org');
  assert.equal(tagOf(request.from), 'local');
  assert.equal(tagOf(request.to), 'remote');
  assert.equal(request.headers.has('Contact'), false, 'a BYE refreshes no target');
  assert.equal(after.localCseq, 8);
  assert.equal(nextHopUri(dialog), 'sip:p0.example.org;lr');
});

test('RFC 3261 §12.2.1.1: a strict router stands in the request URI and the target is the last Route', () => {
  const dialog = { ...uac(), routeSet: ['<sip:strict.example.org;method=INVITE?x=y>', '<sip:p1.example.com;lr>'] };
  const { request } = requestInDialog(dialog, 'INVITE');
  assert.equal(request.uri, 'sip:strict.example.org');
  assert.deepEqual(request.headers.all('Route'), [
    '<sip:p1.example.com;lr>',
    '<sip:srs@198.51.100.5:5061;transport=tls>',
  ]);
  assert.equal(request.headers.get('Contact'), dialog.localContact);
});

test('RFC 3261 §13.2.2.4: an ACK has the number of its INVITE and uses none up', () => {
  const dialog = { ...uac(), localCseq: 12 };
  const { request, dialog: after } = requestInDialog(dialog, 'ACK', { cseq: 9 });
  assert.equal(request.headers.get('CSeq'), '9 ACK');
  assert.equal(after.localCseq, 12);
});

test('RFC 3261 §12.2.2: numbers may skip but not fall; the target follows target refresh requests alone', () => {
  let dialog = uac();
  const contact = ['Contact', '<sip:srs@203.0.113.9>'] as const;
  const info = receiveInDialog(dialog, peerRequest(dialog, 'INFO', 5, [contact]));
  assert.ok(info.dialog);
  dialog = info.dialog;
  assert.equal(dialog.remoteTarget, 'sip:srs@198.51.100.5:5061;transport=tls');
  const update = receiveInDialog(dialog, peerRequest(dialog, 'UPDATE', 9, [contact]));
  assert.ok(update.dialog);
  dialog = update.dialog;
  assert.equal(dialog.remoteTarget, 'sip:srs@203.0.113.9');
  assert.equal(dialog.remoteCseq, 9);
  assert.deepEqual(receiveInDialog(dialog, peerRequest(dialog, 'INFO', 8)), { refuse: 500 });
  assert.deepEqual(receiveInDialog(dialog, peerRequest(dialog, 'INVITE', 10, [['Contact', '*']])), { refuse: 400 });
});

test('RFC 3261 §12.2.2: a request of another or an ended dialog is refused 481', () => {
  const dialog = uac();
  const stranger = peerRequest({ ...dialog, remoteTag: 'other' }, 'INFO', 1);
  assert.deepEqual(receiveInDialog(dialog, stranger), { refuse: 481 });
  const late = peerRequest(dialog, 'INFO', 1);
  assert.deepEqual(receiveInDialog({ ...dialog, state: 'terminated' }, late), { refuse: 481 });
});

test('RFC 3261 §12.2.1.2: a 2xx to a re-INVITE moves the remote target, a failure or a bad Contact does not', () => {
  const { dialog, request } = requestInDialog(uac(), 'INVITE');
  const moved = answer(request, 200);
  moved.headers.set('Contact', '<sip:srs@203.0.113.9>');
  assert.equal(responseInDialog(dialog, moved).remoteTarget, 'sip:srs@203.0.113.9');
  const refused = answer(request, 491);
  refused.headers.set('Contact', '<sip:srs@203.0.113.9>');
  assert.equal(responseInDialog(dialog, refused), dialog);
  moved.headers.set('Contact', '<nonsense>');
  assert.equal(responseInDialog(dialog, moved), dialog);
});

test('both sides of a dialog and its revived JSON have the same id', () => {
  const request = invite();
  const response = answer(request, 200);
  const dialog = dialogFromResponse(request, response);
  assert.equal(dialogIdOf(response), dialogId(dialog));
  assert.equal(dialogIdOf(peerRequest(dialog, 'BYE', 1)), dialogId(dialog));
  const revived: DialogState = JSON.parse(JSON.stringify(dialog));
  assert.deepEqual(revived, dialog);
  assert.deepEqual(
    [...requestInDialog(revived, 'BYE').request.headers],
    [...requestInDialog(dialog, 'BYE').request.headers],
  );
});
