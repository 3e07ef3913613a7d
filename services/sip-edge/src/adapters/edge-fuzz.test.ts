// Hostile input from a peer: whatever comes, the edge stays up and keeps nothing.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import fc from 'fast-check';
import { AdminSocket, type ReceivedFrame } from '../contract/admin-socket.js';
import { startEmbeddedEdge } from '../contract/embedded-edge.js';
import { answer, RawCall, sdp } from '../contract/raw-call.js';
import { RawPeer } from '../contract/raw-peer.js';

const methods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'UPDATE', 'PRACK', 'OPTIONS', 'REFER', 'FOO'];
const values = [
  '<sip:a@127.0.0.1>;tag=x',
  '<sip:a@127.0.0.1:99999>',
  '"unterminated <sip:a@b>',
  '<sip:@>',
  'tel:+1',
  '*',
  ';;;',
  '',
  '1 INVITE',
  '4294967296 BYE',
  'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKfixed;rport',
  'SIP/2.0/UDP [::1;branch=',
  '<sip:127.0.0.1;lr>, <sip:[::zz];lr>',
  '\u0000\u00ff',
  '100rel, timer',
  '1 1 INVITE',
  '0 99999999999 FOO',
  '4294967295',
  '-1',
  '90;refresher=nobody',
  '30;refresher=uac;refresher=uas',
  '99999999999999',
];
const names = (
  'Via From To Call-ID CSeq Contact Record-Route Route Require Supported RSeq RAck Session-Expires x Min-SE ' +
  'Content-Length'
).split(' ');
const sane: Record<string, string> = {
  Via: 'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKfixed;rport',
  From: '<sip:a@127.0.0.1>;tag=x',
  To: '<sip:b@127.0.0.1>',
  'Call-ID': 'fuzz',
  CSeq: '1 INVITE',
  Contact: '<sip:a@127.0.0.1:9>',
};

/** Messages that are nearly SIP. */
const message = fc
  .record({
    start: fc.oneof(
      fc.constantFrom(...methods).map((method) => `${method} sip:b@127.0.0.1 SIP/2.0`),
      fc.constantFrom('SIP/2.0 200 OK', 'SIP/2.0 180 Ringing', 'SIP/2.0 999 X', 'INVITE foo SIP/9.9'),
    ),
    changes: fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values)), { maxLength: 2 }),
    callId: fc.integer({ min: 0, max: 200 }),
    branch: fc.integer({ min: 0, max: 2_000 }),
    flips: fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }) },
    ),
  })
  .map(({ start, changes, callId, branch, flips }) => {
    const method = /^([A-Z]+) /.exec(start)?.[1] ?? 'INVITE';
    const fields: Record<string, string> = {
      ...sane,
      Via: `SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK${branch};rport`,
      CSeq: `1 ${method}`,
      'Call-ID': `fuzz-${callId}`,
      ...Object.fromEntries(changes),
    };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    const bytes = Buffer.from(`${start}\r\n${lines.join('')}\r\n`);
    for (const [at, value] of flips) bytes[at % bytes.length] = value;
    return bytes;
  });

test('thousands of broken and half broken messages: no crash, and the next good call goes through', async () => {
  const edge = await startEmbeddedEdge({ t1: 5 });
  const client = await AdminSocket.open(edge, 60_000);
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  const peer = await RawPeer.udp(edge.udp);
  try {
    await client.ask(`authenticate|${edge.admin.secret}|`);
    for (const method of methods) await client.ask(`route|${method.toLowerCase()}`);
    answerAll(client).catch((error: unknown) => assert.fail(String(error)));
    for (const bytes of fc.sample(message, { numRuns: 3_000, seed: 42 })) {
      await new Promise((resolve) => socket.send(bytes, edge.udp.port, edge.udp.host, resolve));
    }
    // On a busy machine much of it is still in the socket's buffer, which takes no more then: not the call that comes next, either.
    let read = -1;
    const allRead = async () => {
      const before = read;
      read =
        (await edge.metric('sidestream_edge_malformed_total')) + (await edge.metric('sidestream_edge_messages_total'));
      return read === before;
    };
    await eventually(allRead, 'the edge has read it all', 30_000);
    await new RawCall(peer).establish();
    assert.ok((await edge.metric('sidestream_edge_malformed_total')) > 100);
    assert.ok((await edge.metric('sidestream_edge_messages_total')) > 300);
  } finally {
    socket.close();
    client.close();
    await peer.close();
    await edge.stop();
  }
});

/** What a peer may put where RFC 3262 and RFC 4028 want numbers. */
const garbage = fc.oneof(
  fc.constantFrom(...values),
  fc.string({ unit: 'grapheme-ascii', maxLength: 30 }),
  fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('INVITE', 'FOO', '')).map((parts) => parts.join(' ')),
  fc.tuple(fc.integer(), fc.constantFrom('uac', 'uas', '')).map(([n, who]) => `${n};refresher=${who}`),
);

test('within a call: every PRACK, UPDATE and re-INVITE with garbage in it is answered, and the call goes on', async () => {
  const edge = await startEmbeddedEdge();
  const client = await AdminSocket.open(edge, 60_000);
  const peer = await RawPeer.udp(edge.udp);
  try {
    await client.ask(`authenticate|${edge.admin.secret}|`);
    for (const method of methods) await client.ask(`route|${method.toLowerCase()}`);
    answerAll(client).catch((error: unknown) => assert.fail(String(error)));
    const call = new RawCall(peer);
    await call.establish({ headers: { Supported: 'timer, 100rel' } });
    const headers = fc.record(
      { RAck: garbage, RSeq: garbage, 'Session-Expires': garbage, 'Min-SE': garbage, Supported: garbage },
      { requiredKeys: [], noNullPrototype: true },
    );
    const request = fc.tuple(fc.constantFrom('PRACK', 'UPDATE', 'INVITE'), headers);
    for (const [method, lines] of fc.sample(request, { numRuns: 300, seed: 11 })) {
      const sane = Object.entries(lines).filter(([, value]) => !/[\r\n\0]/.test(value));
      call.send(method, { headers: Object.fromEntries(sane) });
      const { status } = await peer.final(method);
      assert.ok([200, 400, 422, 481, 491, 500].includes(status), `${status} to ${method} ${JSON.stringify(lines)}`);
      if (method === 'INVITE' && status < 300) call.send('ACK', { cseq: call.cseq });
    }
    call.send('BYE');
    await peer.response(200, 'BYE');
    assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
  } finally {
    client.close();
    await peer.close();
    await edge.stop();
  }
});

test('a callee whose reliable responses and session timers are garbage: the application gets its answer', async () => {
  const edge = await startEmbeddedEdge();
  const client = await AdminSocket.open(edge);
  const peer = await RawPeer.udp(edge.udp);
  try {
    await client.ask(`authenticate|${edge.admin.secret}|`);
    for (const [rseq, sessionExpires] of fc.sample(fc.tuple(garbage, garbage), { numRuns: 100, seed: 13 })) {
      if (/[\r\n\0]/.test(rseq + sessionExpires)) continue;
      const uri = `sip:b@127.0.0.1:${peer.address.port}`;
      const [, , , verdict] = await client.ask('sip||', `INVITE ${uri} SIP/2.0\r\n\r\n${sdp(1)}`);
      assert.equal(verdict, 'OK');
      const invite = await peer.request('INVITE');
      answer(peer, invite, 183, { headers: { Require: '100rel', RSeq: rseq } });
      answer(peer, invite, 200, { headers: { 'Session-Expires': sessionExpires }, body: sdp(2) });
      const { fields } = await client.sip('SIP/2.0 200');
      assert.equal((await client.ask(`sip||${fields[9]}`, 'ACK sip:x SIP/2.0\r\n\r\n'))[3], 'OK');
      await client.ask(`sip||${fields[9]}`, 'BYE sip:x SIP/2.0\r\n\r\n');
      answer(peer, await peer.request('BYE'), 200);
      await client.sip('SIP/2.0 200');
    }
    assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
  } finally {
    client.close();
    await peer.close();
    await edge.stop();
  }
});

/** Answers whatever comes, INVITEs by way of 180. Ends with the connection. */
async function answerAll(client: AdminSocket): Promise<void> {
  const isRequest = ({ fields, sip }: ReceivedFrame): boolean => fields[1] === 'sip' && !/^(SIP|ACK|CANCEL)/.test(sip);
  try {
    for (;;) {
      const { fields, sip } = await client.take(isRequest, 'request');
      const isInvite = sip.startsWith('INVITE');
      await client.ask(`sip|${fields[8]}|`, `SIP/2.0 ${isInvite ? '180 Ringing' : '200 OK'}\r\n\r\n`);
      if (isInvite) await client.ask(`sip|${fields[8]}|`, `SIP/2.0 200 OK\r\n\r\n${sdp(1)}`);
    }
  } catch (error) {
    if (client.open) throw error;
  }
}

test('an application that sends nonsense is refused frame by frame', async () => {
  const edge = await startEmbeddedEdge();
  const client = await AdminSocket.open(edge);
  await client.ask(`authenticate|${edge.admin.secret}|`);
  try {
    for (const [index, sip] of fc.sample(message, { numRuns: 300, seed: 7 }).entries()) {
      const target = index % 2 === 0 ? 'sip||' : `sip|unknown|dialog-${index}`;
      const [, , , verdict] = await client.ask(target, sip.toString('latin1').replace('b@127.0.0.1', 'b@192.0.2.1'));
      assert.match(verdict ?? '', /^(OK|NOK)$/);
    }
  } finally {
    client.close();
    await edge.stop();
  }
});
