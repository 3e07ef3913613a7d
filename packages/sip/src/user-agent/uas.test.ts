import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createResponse } from '../message/create-response.js';
import { settle } from '../transaction/scripted-flow.js';
import type { IncomingInvite } from './incoming-invite.js';
import { peer, session } from './scripted-peer.js';

test('an accepted INVITE gets Contact, Allow, Supported, Server and body', async () => {
  const { last, flow, dialog } = await session();
  assert.deepEqual(flow.times(100), [0]);
  assert.equal(last().status, 200);
  assert.equal(last().headers.get('Contact'), '<sip:bob@192.0.2.1:5060>');
  assert.equal(last().headers.get('Allow'), 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE');
  assert.equal(last().headers.get('Supported'), 'siprec');
  assert.equal(last().headers.get('Server'), 'test/1');
  assert.equal(last().body.toString(), 'v=0');
  assert.equal(dialog.state.remoteTarget, 'sip:alice@192.0.2.2:5060');
});

test('RFC 3261 §13.3.1.4: the 2xx is repeated even over TCP until the ACK comes', async () => {
  const { clock, flow, ack } = await session();
  clock.advance(4000);
  assert.deepEqual(flow.times(200), [0, 500, 1500, 3500]);
  ack();
  clock.advance(60_000);
  assert.deepEqual(flow.times(200), [0, 500, 1500, 3500]);
  assert.equal(clock.pending, 0);
});

test('RFC 3261 §13.3.1.4: without ACK for 64*T1 the session is ended by BYE', async () => {
  const { clock, dialog, requests, agent } = await session();
  const ended: string[] = [];
  dialog.on('ended', (reason) => ended.push(reason));
  clock.advance(31_999);
  await settle();
  assert.equal(requests('BYE').length, 0);
  clock.advance(1);
  await settle();
  assert.equal(requests('BYE').length, 1);
  assert.deepEqual(ended, ['error']);
  assert.equal(agent.dialogs, 0);
});

test('RFC 3261 §15: the callee does not send BYE before the ACK', async () => {
  const { dialog, requests, ack } = await session();
  void dialog.bye();
  await settle();
  assert.equal(requests('BYE').length, 0);
  ack();
  await settle();
  assert.equal(requests('BYE')[0]?.uri, 'sip:alice@192.0.2.2:5060');
});

test('RFC 3261 §15: when the ACK never comes, a BYE that waits for it goes after 64*T1', async () => {
  const { dialog, requests, clock, agent } = await session();
  const bye = dialog.bye({ timeoutMs: 1000 });
  clock.advance(32_000);
  await settle();
  assert.equal(requests('BYE').length, 1);
  clock.advance(1000);
  assert.equal(await bye, undefined);
  assert.equal(agent.dialogs, 0);
});

test('a BYE of the peer is answered 200, ends the dialog, and whatever follows gets 481', async () => {
  const { dialog, send, last, toTag, ack, agent, clock } = await session();
  ack();
  const heard: string[] = [];
  dialog.on('bye', (bye) => heard.push(bye.headers.get('Reason') ?? ''));
  dialog.on('ended', (reason) => heard.push(reason));
  send('BYE', { cseq: 2, toTag, headers: [['Reason', 'Q.850;cause=16']] });
  assert.equal(last().status, 200);
  assert.deepEqual(heard, ['Q.850;cause=16', 'remote']);
  assert.equal(agent.dialogs, 0);
  send('INFO', { cseq: 3, toTag });
  assert.equal(last().status, 481);
  assert.equal(await dialog.bye(), undefined);
  clock.advance(32_000);
  assert.equal(agent.transactions + clock.pending, 0);
});

test('a CANCEL is answered 200, the INVITE 487, and its signal is aborted', async () => {
  const { agent, send, flow, requests, clock } = peer();
  const taken: IncomingInvite[] = [];
  agent.on('invite', (invite) => {
    taken.push(invite);
    void invite.respond(180);
  });
  send('INVITE', { branch: 5 });
  const [invite] = taken;
  assert.ok(invite);
  let cancelled = 0;
  invite.on('cancel', () => {
    cancelled += 1;
  });
  send('CANCEL', { branch: 5 });
  await settle();
  assert.equal(cancelled, 1);
  assert.equal(invite.signal.aborted, true);
  assert.deepEqual(flow.times(487), [0]);
  assert.throws(() => invite.accept(), { code: 'cancelled' });
  send('ACK', { branch: 5 });
  assert.equal(requests('BYE').length, 0);
  assert.equal(agent.transactions + clock.pending, 0);
});

test('RFC 3261 §14.2: a re-INVITE is 491 while ours is pending, and 500 with Retry-After before the first is answered', async () => {
  const { dialog, send, last, toTag, ack, requests, transports, flow } = await session();
  ack();
  const mine = dialog.reinvite({ body: 'v=0', contentType: 'application/sdp' });
  await settle();
  send('INVITE', { cseq: 2, toTag });
  assert.equal(last().status, 491);
  const [request] = requests('INVITE');
  assert.ok(request);
  transports.receive(createResponse(request, 488), flow);
  assert.equal((await mine).status, 488);

  const offers: IncomingInvite[] = [];
  dialog.on('reinvite', (invite) => offers.push(invite));
  send('INVITE', { cseq: 3, toTag });
  send('INVITE', { cseq: 4, toTag });
  assert.equal(last().status, 500);
  assert.match(last().headers.get('Retry-After') ?? '', /^([0-9]|10)$/);
  await assert.rejects(dialog.reinvite({ body: 'v=0' }), { code: 'not-possible', status: 491 });
  assert.equal(offers.length, 1);
  assert.equal(offers[0]?.accept({ body: 'v=0', contentType: 'application/sdp' }), dialog);
  const acks: string[] = [];
  offers[0]?.on('ack', (message) => acks.push(message.headers.get('CSeq') ?? ''));
  ack(3);
  assert.deepEqual(acks, ['3 ACK']);
});

test('RFC 3261 §12.2.2: requests within a dialog are delivered in order, older ones get 500', async () => {
  const { dialog, send, last, toTag, ack } = await session();
  ack();
  dialog.on('request', (request) => void request.respond(200, { body: request.request.method }));
  for (const [cseq, method] of ['INFO', 'UPDATE', 'OPTIONS'].entries()) {
    send(method, { cseq: cseq + 2, toTag });
    await settle();
    assert.equal(last().status, 200);
    assert.equal(last().body.toString(), method);
  }
  send('INFO', { cseq: 3, toTag });
  assert.equal(last().status, 500);
});

test('RFC 3261 §8.2: other methods get 405 or 501 with Allow, unknown extensions 420 with Unsupported, in dialogs too', async () => {
  const { send, last, toTag, ack, agent } = await session();
  for (const [method, status] of [
    ['PUBLISH', 405],
    ['PUBLISHED', 501],
  ] as const) {
    send(method);
    assert.equal(last().status, status);
    assert.match(last().headers.get('Allow') ?? '', /INVITE/);
  }
  send('INVITE', { headers: [['Require', 'siprec, 100rel, x']] });
  assert.equal(last().status, 420);
  assert.equal(last().headers.get('Unsupported'), '100rel, x');
  ack();
  send('REFER', { cseq: 2, toTag });
  assert.equal(last().status, 405);
  agent.removeAllListeners('invite');
  send('INVITE', { cseq: 3, headers: [['Require', 'SIPREC']] });
  assert.equal(last().status, 480, 'nobody listens');
  send('INFO', { toTag: 'nobody' });
  assert.equal(last().status, 481);
  send('BYE');
  assert.equal(last().status, 481);
});

test('RFC 3261 §8.2.2.2: a request that a forking proxy sent here twice is answered 482 the second time', async () => {
  const { send, last, agent, clock } = peer({}, 'udp');
  agent.on('request', (request) => void request.respond(200));
  send('OPTIONS', { branch: 1 });
  assert.equal(last().status, 200);
  send('OPTIONS', { branch: 2 });
  assert.equal(last().status, 482);
  send('OPTIONS', { branch: 1 });
  assert.equal(last().status, 200, 'a retransmission is no merged request');
  clock.advance(32_000);
  send('OPTIONS', { branch: 3 });
  assert.equal(last().status, 200, 'no transaction of it is ongoing any more');
});

test('RFC 3261 §11.2: OPTIONS gets 200 with Allow, or what the owner says', async () => {
  const { agent, send, last } = peer();
  send('OPTIONS');
  assert.equal(last().status, 200);
  assert.match(last().headers.get('Allow') ?? '', /OPTIONS/);
  agent.on('request', (request) => void request.respond(503, { reason: 'Draining' }));
  send('OPTIONS');
  await settle();
  assert.equal(last().status, 503);
  assert.equal(last().reason, 'Draining');
});

test('above maxDialogs an INVITE gets 503 with Retry-After, and one without Contact gets 400', async () => {
  const { send, last } = await session({ maxDialogs: 1 });
  send('INVITE', { cseq: 2 });
  assert.equal(last().status, 503);
  assert.equal(last().headers.get('Retry-After'), '5');
  const roomy = peer();
  roomy.agent.on('invite', () => assert.fail('must not be seen'));
  roomy.send('INVITE', { contact: false });
  assert.equal(roomy.last().status, 400);
});

test('a dialog that went through JSON can be ended by another process', async () => {
  const { dialog, ack } = await session({}, 'udp');
  ack();
  const kept = JSON.stringify(dialog.state);
  const elsewhere = peer();
  const revived = elsewhere.agent.revive(JSON.parse(kept), { protocol: 'tcp', host: '192.0.2.2', port: 5060 });
  const bye = revived.bye();
  await settle();
  const [request] = elsewhere.requests('BYE');
  assert.ok(request);
  assert.equal(request.uri, 'sip:alice@192.0.2.2:5060');
  assert.equal(request.headers.get('CSeq'), '1 BYE');
  assert.equal(request.headers.get('To'), '<sip:alice@192.0.2.2>;tag=alice');
  elsewhere.transports.receive(createResponse(request, 200), elsewhere.flow);
  assert.equal((await bye)?.status, 200);
  assert.equal(elsewhere.agent.dialogs, 0);
});
