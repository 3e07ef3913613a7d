// A 2xx of ours whose connection closes before its ACK (RFC 3261 §13.3.1.4, §17.2.4): the call is not lost with it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createResponse } from '../message/create-response.js';
import { serialiseMessage } from '../message/serialise-message.js';
import { exampleRequest, ScriptedFlow, settle } from '../transaction/scripted-flow.js';
import type { TransportProtocol } from '../transport/flow.js';
import { Transports } from '../transport/transports.js';
import { session } from './scripted-peer.js';
import type { UaDialog } from './ua-dialog.js';
import { UserAgent } from './user-agent.js';

/** A session that was accepted on a flow which then breaks; the next one stands. */
async function lost(protocol: TransportProtocol = 'tcp') {
  const world = await session({}, protocol);
  const next = new ScriptedFlow(world.clock, protocol);
  world.transports.next = next;
  world.flow.broken = true;
  if (protocol === 'tcp') {
    world.flow.close();
    world.transports.emit('closed', world.flow);
  }
  return { ...world, next };
}

test('it is not repeated into the closed connection, and its ACK counts by any other', async () => {
  const { clock, flow, next, transports, send, toTag, invites, agent } = await lost();
  let tries = 0;
  flow.send = async () => {
    tries += 1;
  };
  clock.advance(20_000);
  assert.equal(tries, 0);
  let acknowledged = 0;
  invites[0]?.on('ack', () => {
    acknowledged += 1;
  });
  send('ACK', { toTag, on: next });
  clock.advance(40_000);
  await settle();
  assert.deepEqual([acknowledged, transports.dialled, agent.dialogs, clock.pending], [1, [], 1, 0]);
});

test('bye() waits for no ACK: it dials the Contact', async () => {
  const { next, transports, dialog, agent } = await lost();
  const bye = dialog.bye();
  await settle();
  assert.deepEqual(next.times('BYE'), [0]);
  assert.deepEqual(transports.dialled, [{ protocol: 'tcp', host: '192.0.2.2', port: 5060 }]);
  assert.ok(next.last.kind === 'request');
  transports.receive(createResponse(next.last, 200), next);
  assert.equal((await bye)?.status, 200);
  assert.equal(agent.dialogs, 0);
});

test('a bye() that waits already goes when the connection does', async () => {
  const world = await session();
  const next = new ScriptedFlow(world.clock, 'tcp');
  world.transports.next = next;
  void world.dialog.bye();
  await settle();
  assert.deepEqual([world.requests('BYE'), next.sent], [[], []]);
  world.flow.close();
  world.transports.emit('closed', world.flow);
  await settle();
  assert.deepEqual(next.times('BYE'), [0]);
});

test('reinvite() waits for no ACK either', async () => {
  const { next, dialog } = await lost();
  void dialog.reinvite({ body: 'v=0' }).catch(() => undefined);
  await settle();
  assert.deepEqual(next.times('INVITE'), [0]);
});

test('without ACK for 64*T1 the session is ended by BYE over a new connection', async () => {
  const { clock, next, agent } = await lost();
  clock.advance(31_999);
  await settle();
  assert.deepEqual([next.sent, agent.dialogs], [[], 1]);
  clock.advance(1);
  await settle();
  assert.deepEqual([next.times('BYE'), agent.dialogs], [[32_000], 0]);
});

test('over UDP a copy that cannot be sent ends nothing: bye() waits for the ACK', async () => {
  const { clock, flow, next, dialog, ack } = await lost('udp');
  clock.advance(500);
  await settle();
  flow.broken = false;
  void dialog.bye();
  clock.advance(3000);
  assert.deepEqual(flow.times(200), [0, 1500, 3500]);
  assert.deepEqual(next.sent, []);
  ack();
  await settle();
  assert.deepEqual(next.times('BYE'), [3500]);
});

test('on sockets: the caller resets its connection on our 200, and the BYE finds it at its Contact', async () => {
  const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(10_000) });
  const local = { protocol: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const [transports, callers] = [new Transports(), new Transports()];
  const [agent, caller] = [new UserAgent({ transports }), new UserAgent({ transports: callers })];
  try {
    const { host, port } = await transports.listen(local);
    const contact = `<sip:alice@127.0.0.1:${(await callers.listen(local)).port};transport=tcp>`;
    const accepted = new Promise<UaDialog>((resolve) => {
      agent.once('invite', (invite) => resolve(invite.accept()));
    });
    const socket = connect(port, host);
    const invite = exampleRequest('INVITE', { via: 'SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1' });
    invite.headers.set('Contact', contact);
    socket.write(serialiseMessage(invite));
    let answers = '';
    while (!answers.includes('SIP/2.0 200')) answers += String((await once(socket, 'data', soon()))[0]);
    const dialog = await accepted;
    const closed = once(dialog, 'flowClosed', soon());
    socket.resetAndDestroy();
    await closed;
    // The caller itself knows of no call: that it says so is the proof that it was asked.
    assert.equal((await dialog.bye({ timeoutMs: 10_000 }))?.status, 481);
  } finally {
    await Promise.all([agent.close(), caller.close()]);
    await Promise.all([transports.close(), callers.close()]);
  }
});
