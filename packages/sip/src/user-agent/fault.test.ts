import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.js';
import { tagOf } from '../message/name-addr.js';
import { exampleRequest, ScriptedFlow, ScriptedTransports, settle } from '../transaction/scripted-flow.js';
import type { UaDialog } from './ua-dialog.js';
import { UserAgent } from './user-agent.js';

const via = 'SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK';

function bug(): never {
  throw new Error('a bug');
}

function serve() {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const flow = new ScriptedFlow(clock, 'tcp');
  transports.next = flow;
  const agent = new UserAgent({ transports, clock });
  const faults: string[] = [];
  agent.on('fault', (error) => faults.push(error.message));
  return { clock, transports, flow, agent, faults };
}

/** A session that the agent has accepted, and the tag of its side. */
function session() {
  const world = serve();
  let dialog: UaDialog | undefined;
  world.agent.on('invite', (invite) => {
    dialog = invite.accept();
  });
  world.transports.receive(exampleRequest('INVITE', { via: `${via}1` }), world.flow);
  if (dialog === undefined) throw new Error('not accepted');
  const toTag = tagOf(world.flow.last.to) ?? '';
  const send = (method: string, cseq: number): void =>
    world.transports.receive(exampleRequest(method, { via: `${via}${method}${cseq}`, toTag, cseq }), world.flow);
  return { ...world, dialog, send };
}

test('listeners that throw cost the request that they were told of: 500', () => {
  const { agent, transports, flow, faults } = serve();
  agent.on('invite', bug).on('request', bug);
  transports.receive(exampleRequest('INVITE', { via: `${via}1` }), flow);
  transports.receive(exampleRequest('OPTIONS', { via: `${via}2` }), flow);
  assert.deepEqual(flow.times(500), [0, 0]);
  assert.deepEqual(faults, ['a bug', 'a bug']);
});

test('a request or an offer within a dialog whose listener throws gets 500, and the dialog goes on', () => {
  const { dialog, send, flow, faults, agent } = session();
  send('ACK', 1);
  dialog.on('request', bug).on('reinvite', bug);
  send('INFO', 2);
  send('INVITE', 3);
  assert.deepEqual(flow.times(500), [0, 0]);
  assert.deepEqual(faults, ['a bug', 'a bug']);
  assert.equal(agent.dialogs, 1);
});

test('a dialog ends whole although its listeners for bye and ended throw', () => {
  const { dialog, send, flow, faults, agent, clock } = session();
  dialog.on('bye', bug).on('ended', bug);
  send('BYE', 2);
  assert.equal(flow.last.kind === 'response' && flow.last.status, 200);
  assert.equal(faults.length, 2);
  assert.equal(agent.dialogs, 0);
  clock.advance(120_000);
  assert.equal(agent.transactions + clock.pending, 0);
});

test('listeners that throw at a timer or a lost connection: bye() never rejects, nothing escapes', async () => {
  const { dialog, transports, flow, faults, agent, clock } = session();
  dialog.on('ended', bug).on('flowClosed', bug);
  transports.emit('closed', flow);
  assert.equal(faults.length, 1);
  // No ACK has come: after 64*T1 the session is given up by a timer.
  clock.advance(32_000);
  await settle();
  assert.equal(faults.length, 2);
  assert.equal(agent.dialogs, 0);
  const other = session();
  other.send('ACK', 1);
  other.dialog.on('ended', bug);
  const bye = other.dialog.bye({ timeoutMs: 1000 });
  await settle();
  other.clock.advance(1000);
  assert.equal(await bye, undefined);
  assert.deepEqual(other.faults, ['a bug']);
});
