// The contract at the level of frames: the shapes of meta lines that were captured from drachtio-server, on a live call.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tagOf } from '@sidestream/sip';
import { AdminSocket } from './admin-socket.js';
import { ContractBench } from './contract-bench.js';
import type { EdgeHandle, EdgeUnderTest } from './edge-handle.js';
import { answer, RawCall, sdp } from './raw-call.js';
import { RawPeer } from './raw-peer.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const time = /^\d\d:\d\d:\d\d\.\d{6}$/;

/** Checks fields one by one: a string must be equal, a pattern must match. */
function shape(fields: readonly string[], expected: readonly (string | RegExp)[]): void {
  assert.equal(fields.length, expected.length, fields.join('|'));
  for (const [index, want] of expected.entries()) {
    const got = fields[index] ?? '';
    if (typeof want === 'string') assert.equal(got, want, `field ${index} of ${fields.join('|')}`);
    else assert.match(got, want, `field ${index} of ${fields.join('|')}`);
  }
}

async function connected(edge: EdgeHandle): Promise<AdminSocket> {
  const client = await AdminSocket.open(edge);
  await client.ask(`authenticate|${edge.admin.secret}|`);
  await client.ask('route|invite');
  return client;
}

export function frameContract(under: EdgeUnderTest): void {
  describe('frames', () => {
    const bench = new ContractBench(under);

    test('a call that comes in: INVITE, 200 and its echo, ACK, BYE and the echo of its 200', async () => {
      const { edge } = bench;
      const client = await connected(edge);
      const caller = await RawPeer.udp(edge.udp);
      const call = new RawCall(caller);
      const from = ['127.0.0.1', String(caller.address.port)];
      call.send('INVITE', { body: sdp(40_000) });
      const invite = await client.sip('INVITE ');
      const local = ['127.0.0.1', String(edge.udp.port)];
      shape(invite.fields, [uuid, 'sip', 'network', /^\d+$/, 'udp', ...from, time, uuid, '', ...local, '']);
      const transactionId = invite.fields[8] ?? '';
      const cseq = (n: number, method: string) => `SIP/2.0 200 OK\r\ncseq: ${n} ${method}\r\n\r\n`;

      const ok = `SIP/2.0 200 OK\r\ncseq: 1 INVITE\r\nContent-Length: 1\r\n\r\n${sdp(41_000)}`;
      const echo = await client.ask(`sip|${transactionId}|`, ok);
      const head = [uuid, 'response', /^message-/, 'OK', 'application', /^\d+$/];
      shape(echo, [...head, 'udp', ...from, time, transactionId, call.dialogId, '', 'Msg sent:', '']);
      call.toTag = tagOf((await caller.response(200, 'INVITE')).to) ?? '';

      call.send('ACK', { cseq: 1 });
      const ack = await client.sip('ACK ');
      const inDialog = [uuid, 'sip', 'network', /^\d+$/];
      shape(ack.fields, [...inDialog, '', ...from, time, transactionId, call.dialogId, '']);

      call.send('BYE');
      const bye = await client.sip('BYE ');
      shape(bye.fields, [...inDialog, 'udp', ...from, time, uuid, call.dialogId, '']);
      const byeEcho = await client.ask(`sip|${bye.fields[8]}|`, cseq(2, 'BYE'));
      shape(byeEcho, [...head, '', ...from, time, bye.fields[8] ?? '', '', '', 'Msg sent:', '']);
      await caller.response(200, 'BYE');
      client.close();
      await caller.close();
    });

    test('CANCEL: without a dialog id before any response, with it after one', async () => {
      const { edge } = bench;
      const client = await connected(edge);
      const caller = await RawPeer.udp(edge.udp);
      for (const ringing of [false, true]) {
        const call = new RawCall(caller);
        const request = call.send('INVITE', { body: sdp(40_000) });
        const { fields } = await client.sip('INVITE ');
        if (ringing) await client.ask(`sip|${fields[8]}|`, 'SIP/2.0 180 Ringing\r\ncseq: 1 INVITE\r\n\r\n');
        call.send('CANCEL', { cseq: 1, branch: request.topVia.parameters.get('branch') ?? '' });
        const cancel = await client.sip('CANCEL ');
        assert.deepEqual(cancel.fields.slice(8), [fields[8], ringing ? call.dialogId : '', '']);
      }
      client.close();
      await caller.close();
    });

    test('a call that goes out: echo, 180 and 200 with one transaction id, the ACK’s echo with another', async () => {
      const { edge } = bench;
      const client = await connected(edge);
      const callee = await RawPeer.udp(edge.udp);
      const uri = `sip:bob@127.0.0.1:${callee.address.port}`;
      const echo = await client.ask('sip||', `INVITE ${uri} SIP/2.0\r\nfrom: sip:a@localhost\r\n\r\n${sdp(1)}`);
      const own = ['127.0.0.1', String(edge.udp.port)];
      const head = [uuid, 'response', /^message-/, 'OK', 'application', /^\d+$/, 'udp', ...own, time];
      shape(echo, [...head, uuid, 'Msg sent:', '']);
      const transactionId = echo[10] ?? '';
      const invite = await callee.request('INVITE');
      answer(callee, invite, 100);
      answer(callee, invite, 180);
      const ringing = await client.take((frame) => frame.fields[1] === 'sip');
      const dialogId = `${invite.callId};from-tag=${tagOf(invite.from)}`;
      const to = ['127.0.0.1', String(callee.address.port)];
      shape(ringing.fields, [uuid, 'sip', 'network', /^\d+$/, 'udp', ...to, time, transactionId, dialogId, '']);
      assert.match(ringing.sip, /^SIP\/2\.0 180 /);
      answer(callee, invite, 200, { body: sdp(2) });
      assert.deepEqual((await client.sip('SIP/2.0 200 ')).fields.slice(8), [transactionId, dialogId, '']);
      const ackEcho = await client.ask(`sip||${dialogId}`, 'ACK sip:x SIP/2.0\r\n\r\n');
      shape(ackEcho, [...head, uuid, 'Msg sent:', '']);
      assert.notEqual(ackEcho[10], transactionId);
      await callee.request('ACK');
      const again = await client.ask(`sip||${dialogId}`, 'ACK sip:x SIP/2.0\r\n\r\n');
      assert.deepEqual(again.slice(3), [
        'NOK',
        'Server error: ACK for non-success final response is automatically generated by server',
      ]);
      client.close();
      await callee.close();
    });

    test('what can not be done is refused in the words of drachtio-server', async () => {
      const client = await connected(bench.edge);
      const refusal = async (command: string, sip: string) => (await client.ask(command, sip)).slice(3);
      const noDialog = 'Server error: unable to find dialog for dialog id provided';
      assert.deepEqual(await refusal('sip|deadbeef|', 'SIP/2.0 200 OK\r\ncseq: 1 INVITE\r\n\r\n'), [
        'NOK',
        'Response not sent due to unknown transaction',
      ]);
      assert.deepEqual(await refusal('sip||gone', 'INFO sip:placeholder SIP/2.0\r\n\r\n'), ['NOK', noDialog]);
      assert.deepEqual(await refusal('sip|deadbeef|', 'CANCEL sip:x@127.0.0.1 SIP/2.0\r\n\r\n'), [
        'NOK',
        'unable to cancel unknown transaction id: deadbeef',
      ]);
      assert.deepEqual(await refusal('sip||', 'INVITE foo SIP/2.0\r\n\r\n'), [
        'NOK',
        'invalid request-uri: INVITE foo SIP/2.0',
      ]);
      client.close();
    });
  });
}
