import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DialogState, Headers, SipRequest } from '@sidestream/sip';
import { DialogBook } from './dialog-book.js';

function dialog(id: string, callId: string, localTag: string, remoteTag: string) {
  const state: DialogState = {
    callId,
    localTag,
    remoteTag,
    localUri: 'sip:a@127.0.0.1',
    remoteUri: 'sip:b@127.0.0.1',
    localCseq: 0,
    remoteTarget: 'sip:b@127.0.0.1',
    routeSet: [],
    secure: false,
    role: 'uas',
    state: 'confirmed',
    localContact: '<sip:a@127.0.0.1>',
  };
  return { id, owner: 'application', state };
}

function bye(callId: string, fromTag: string, toTag: string): SipRequest {
  const headers = new Headers([
    ['From', `<sip:b@127.0.0.1>;tag=${fromTag}`],
    ['To', `<sip:a@127.0.0.1>;tag=${toTag}`],
    ['Call-ID', callId],
  ]);
  return new SipRequest({ method: 'BYE', uri: 'sip:a@127.0.0.1', headers });
}

test('RFC 3261 §12: two dialogs with one Call-ID and creator’s tag are told apart by both tags', () => {
  const book = new DialogBook<string, ReturnType<typeof dialog>>(10);
  const caller = dialog(book.reserveId('call', 'ours'), 'call', 'ours', 'theirs');
  const callee = dialog(book.reserveId('call', 'ours'), 'call', 'theirs', 'ours');
  book.add(caller);
  book.add(callee);
  assert.equal(book.size, 2);
  assert.equal(book.findFor(bye('call', 'theirs', 'ours')), caller);
  assert.equal(book.findFor(bye('call', 'ours', 'theirs')), callee);
  assert.equal(book.findFor(bye('call', 'ours', 'stranger')), undefined);
  book.remove(caller);
  assert.equal(book.findFor(bye('call', 'theirs', 'ours')), undefined);
  assert.equal(book.get(callee.id), callee);
});

test('an id is drachtio’s; while an INVITE or a dialog has it, the next one gets another', () => {
  const book = new DialogBook<string, ReturnType<typeof dialog>>(10);
  const first = book.reserveId('call', 'tag');
  assert.equal(first, 'call;from-tag=tag');
  const second = book.reserveId('call', 'tag');
  assert.match(second, /^call;from-tag=tag;leg=\w+$/);
  book.add(dialog(first, 'call', 'x', 'tag'));
  book.releaseId(first);
  assert.notEqual(book.reserveId('call', 'tag'), first);
  assert.equal(book.removeOwnedBy('application').length, 1);
  assert.equal(book.reserveId('call', 'tag'), first);
});

test('the early dialogs of a fork share an id: the one that was entered last has it, all are found by their tags', () => {
  const book = new DialogBook<string, ReturnType<typeof dialog>>(10);
  const id = book.reserveId('call', 'ours');
  const [first, second] = [dialog(id, 'call', 'ours', 'k1'), dialog(id, 'call', 'ours', 'k2')];
  book.add(first);
  book.add(second);
  assert.equal(book.size, 2);
  assert.equal(book.get(id), second);
  book.add(first);
  assert.equal(book.get(id), first);
  book.remove(second);
  assert.equal(book.has(second), false);
  assert.equal(book.get(id), first);
  book.add(second);
  assert.equal(book.removeOwnedBy('application').length, 2);
  assert.equal(book.size, 0);
});
