// Golden lines: what drachtio-server 0.9.10 put on the wire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fitsMetaLine,
  formatDialogId,
  formatOk,
  formatRefusal,
  formatRequestEcho,
  formatResponseEcho,
  formatSip,
  formatTime,
  parseAppFrame,
} from './meta.js';

const time = new Date('2026-11-22T05:25:26.172Z');
const dialogId = '1-11441@127.0.0.1;from-tag=11441SIPpTag001';

test('a new request: empty dialog id, where it was received, and an empty last field', () => {
  const origin = { bytes: 507, protocol: 'udp', address: '127.0.0.1', port: 5081, time };
  const at = { kind: 'new-request', transactionId: '627c9b2f', localAddress: '127.0.0.1', localPort: 5090 } as const;
  assert.equal(
    formatSip('ac9fb54e', 'network', origin, at),
    'ac9fb54e|sip|network|507|udp|127.0.0.1|5081|05:25:26.172000|627c9b2f||127.0.0.1|5090|\r\n',
  );
});

test('a request inside a dialog', () => {
  const origin = { bytes: 354, protocol: 'udp', address: '127.0.0.1', port: 5081, time };
  assert.equal(
    formatSip('c0bf6ab1', 'network', origin, { kind: 'in-dialog', transactionId: 'dc672d25', dialogId }),
    `c0bf6ab1|sip|network|354|udp|127.0.0.1|5081|05:25:26.172000|dc672d25|${dialogId}|\r\n`,
  );
});

test('a quick CANCEL and a response outside dialogs', () => {
  const origin = { bytes: 297, protocol: 'udp', address: '127.0.0.1', port: 5132, time };
  assert.equal(
    formatSip('a38bb033', 'network', origin, { kind: 'no-dialog', transactionId: 'd46c36e8' }),
    'a38bb033|sip|network|297|udp|127.0.0.1|5132|05:25:26.172000|d46c36e8||\r\n',
  );
});

test('a response that the edge made: no bytes, no address', () => {
  const origin = { bytes: 0, protocol: 'udp', address: '', port: 0, time };
  assert.equal(
    formatSip('b39e482e', 'network', origin, { kind: 'in-dialog', transactionId: 'e4f79699', dialogId }),
    `b39e482e|sip|network|0|udp||0|05:25:26.172000|e4f79699|${dialogId}|\r\n`,
  );
});

test('a BYE that the edge made', () => {
  const origin = { bytes: 326, protocol: 'udp', address: '127.0.0.1', port: 5090, time };
  const at = { kind: 'in-dialog', transactionId: 'unsolicited', dialogId } as const;
  assert.equal(
    formatSip('e14d0765', 'application', origin, at),
    `e14d0765|sip|application|326|udp|127.0.0.1|5090|05:25:26.172000|unsolicited|${dialogId}|\r\n`,
  );
});

test('the echo of a request: transaction id at index 10', () => {
  const origin = { bytes: 510, protocol: 'udp', address: '127.0.0.1', port: 5090, time };
  assert.equal(
    formatRequestEcho('c3b9ad45', 'd1f0d9f5', origin, '074f3c31'),
    'c3b9ad45|response|d1f0d9f5|OK|application|510|udp|127.0.0.1|5090|05:25:26.172000|074f3c31|Msg sent:|\r\n',
  );
});

test('the echo of a response: dialog id at index 11, empty for BYE', () => {
  const origin = { bytes: 462, protocol: 'udp', address: '127.0.0.1', port: 5081, time };
  assert.equal(
    formatResponseEcho('4dfe9c69', '682c578a', origin, '627c9b2f', dialogId),
    `4dfe9c69|response|682c578a|OK|application|462|udp|127.0.0.1|5081|05:25:26.172000|627c9b2f|${dialogId}||Msg sent:|\r\n`,
  );
  assert.equal(
    formatResponseEcho('e597dfec', '443c5a8a', { ...origin, bytes: 263, protocol: '' }, 'dc672d25', ''),
    'e597dfec|response|443c5a8a|OK|application|263||127.0.0.1|5081|05:25:26.172000|dc672d25|||Msg sent:|\r\n',
  );
});

test('answers of the client layer', () => {
  assert.equal(formatOk('25f2ca02', '74ead9a0'), '25f2ca02|response|74ead9a0|OK');
  assert.equal(formatOk('8dd5ee11', '0601948e', ['pong']), '8dd5ee11|response|0601948e|OK|pong');
  assert.equal(formatRefusal('24e4', '1111', 'NO', 'incorrect secret'), '24e4|response|1111|NO|incorrect secret');
});

test('times are UTC with six digits of a second; a dialog id is Call-ID and the tag of its creator', () => {
  assert.equal(formatTime(time), '05:25:26.172000');
  assert.equal(formatDialogId('1-11441@127.0.0.1', '11441SIPpTag001'), dialogId);
});

test('frames of drachtio-srf', () => {
  const parse = (text: string) => parseAppFrame(Buffer.from(text));
  assert.deepEqual(parse('5e40|authenticate|scratch|tagA,tagB'), {
    type: 'authenticate',
    id: '5e40',
    secret: 'scratch',
    tags: ['tagA', 'tagB'],
  });
  assert.deepEqual(parse('74ea|route|invite'), { type: 'route', id: '74ea', verb: 'invite' });
  assert.deepEqual(parse('0601|ping'), { type: 'ping', id: '0601' });
  assert.deepEqual(parse('7c30|sip|||sip:127.0.0.1:5071\r\nINVITE sip:x@10.255.255.1 SIP/2.0\r\n\r\n'), {
    type: 'sip',
    id: '7c30',
    transactionId: '',
    dialogId: '',
    route: 'sip:127.0.0.1:5071',
    sip: Buffer.from('INVITE sip:x@10.255.255.1 SIP/2.0\r\n\r\n'),
  });
  assert.deepEqual(parse('b7|nonsense'), { type: 'unknown', id: 'b7' });
});

test('a `|` or a control character does not fit into a meta line: it would become a field', () => {
  for (const bad of ['a|b', 'a\rb', 'a\nb', 'a\0b', 'a\tb', 'a\u0085b']) assert.equal(fitsMetaLine(bad), false, bad);
  assert.equal(fitsMetaLine(dialogId), true);
});
