// The checks of every flow, held against messages that a broken Sidestream would send.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAlways, checkSteps, type PartyView } from './ladder-checks.js';
import { readSippLog } from './sipp-log.js';
import { hears, sends } from './steps.js';

const edge = '127.0.0.1';

/** What a callee at 127.2.1.3 hears of a caller at 127.2.1.2, with one change. */
function views(from = '', to = ''): PartyView[] {
  const invite = [
    'INVITE sip:b@127.2.1.3 SIP/2.0',
    `Via: SIP/2.0/UDP ${edge}:5060;branch=z9hG4bK1;rport`,
    'Max-Forwards: 69',
    `From: <sip:a@${edge}>;tag=1`,
    'To: <sip:b@127.2.1.3>',
    'Call-ID: far',
    'CSeq: 7 INVITE',
    `Contact: <sip:${edge}:5060>`,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
  const changed = invite.replace(from, to);
  assert.ok(from === '' || changed !== invite, 'the change changes something');
  const near = invite.replace('Call-ID: far', 'Call-ID: near');
  return [
    { name: 'caller', host: '127.2.1.2', messages: readSippLog(logged('sent', near)) },
    { name: 'callee', host: '127.2.1.3', messages: readSippLog(logged('received', changed)) },
  ];
}

function logged(which: 'sent' | 'received', text: string): string {
  const bytes = which === 'sent' ? `(${text.length} bytes):` : `[${text.length}] bytes :`;
  return `${'-'.repeat(47)} 2026-11-26 12:00:00.000001\nUDP message ${which} ${bytes}\n\n${text}\n`;
}

test('a message as it should be passes', () => {
  checkAlways(views(), edge);
  for (const { name, messages, host } of views().slice(1))
    checkSteps({ name, messages, host }, [hears('INVITE', { 'Max-Forwards': '69', Require: null, uri: /^sip:b@/ })]);
});

for (const [what, from, to] of [
  ["the other side's address in Contact", `<sip:${edge}:5060>`, '<sip:127.2.1.2:5060>'],
  ["the other side's address in From", `sip:a@${edge}`, 'sip:a@127.2.1.2'],
  ["the other side's Call-ID", 'Call-ID: far', 'Call-ID: near'],
  ['two Via values', 'Max-Forwards', 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r\nMax-Forwards'],
  ['no Max-Forwards', 'Max-Forwards: 69\r\n', ''],
  ['no tag in From', ';tag=1', ''],
  ['a Record-Route', 'Max-Forwards', 'Record-Route: <sip:192.0.2.1;lr>\r\nMax-Forwards'],
  ['a wrong Content-Length', 'Content-Length: 0', 'Content-Length: 4'],
] as const) {
  test(`${what} is found`, () => {
    assert.throws(() => checkAlways(views(from, to), edge));
  });
}

test('a message that is missing, unexpected or unlike its step is found', () => {
  const [, callee] = views();
  assert.ok(callee);
  for (const steps of [
    [],
    [hears('INVITE'), hears('BYE')],
    [hears('INVITE', { 'Max-Forwards': '70' })],
    [hears('INVITE', { Contact: null })],
    [hears('INVITE', { uri: /^tel:/ })],
  ])
    assert.throws(() => checkSteps(callee, [...steps, sends('180 INVITE')]));
});
