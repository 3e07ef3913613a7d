import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createResponse } from '../message/create-response.js';
import { Headers } from '../message/headers.js';
import { ScriptedFlow, settle } from '../transaction/scripted-flow.js';
import { invite } from './scripted-invite.js';

test('RFC 3261 §13.2.2.4: a 2xx is acknowledged, and each copy of it by the same ACK', async () => {
  const { respond, sent, outcome, agent, clock } = await invite({}, 'udp');
  await respond(180);
  await respond(200);
  assert.equal(outcome(), 'accepted');
  await respond(200);
  const [first, second] = sent('ACK');
  assert.equal(first?.uri, 'sip:srs@192.0.2.2:5060');
  assert.equal(first?.headers.get('CSeq'), '1 ACK');
  assert.equal(second?.headers.get('Via'), first?.headers.get('Via'));
  assert.equal(sent('ACK').length, 2);
  assert.equal(agent.dialogs, 1);
  clock.advance(32_000);
  assert.equal(agent.transactions, 0);
  assert.equal(clock.pending, 0);
});

test('RFC 3261 §13.2.2.4: the 2xx of another fork is acknowledged and its dialog ended', async () => {
  const { respond, sent, agent } = await invite();
  await respond(200, 'fork-1');
  await respond(200, 'fork-2');
  assert.equal(sent('ACK').length, 2);
  const [bye] = sent('BYE');
  assert.equal(bye?.headers.get('To'), '<sip:srs@192.0.2.2>;tag=fork-2');
  assert.equal(sent('BYE').length, 1);
  assert.equal(agent.dialogs, 2);
  await respond(200, 'fork-2', bye);
  assert.equal(agent.dialogs, 1);
});

test('a refusal rejects with its status and response', async () => {
  const { respond, outcome, sent } = await invite();
  await respond(486);
  assert.equal(outcome(), 'rejected 486');
  assert.equal(sent('ACK').length, 1);
});

test('RFC 3261 §9.1: an abort rejects at once, and its CANCEL waits for a provisional response', async () => {
  const abort = new AbortController();
  const { respond, outcome, sent, agent, clock } = await invite({ signal: abort.signal }, 'udp');
  abort.abort();
  await settle();
  assert.equal(outcome(), 'cancelled');
  assert.equal(sent('CANCEL').length, 0);
  await respond(180);
  assert.equal(sent('CANCEL').length, 1);
  await respond(200, 'fork-1', sent('CANCEL')[0]);
  await respond(487);
  clock.advance(32_000);
  assert.equal(agent.transactions + agent.dialogs + clock.pending, 0);
});

test('RFC 3261 §9.1: an abort after a provisional response sends CANCEL at once; a late 2xx gets ACK and BYE', async () => {
  const abort = new AbortController();
  const { respond, outcome, sent, agent, clock } = await invite({ signal: abort.signal });
  await respond(180);
  abort.abort();
  await settle();
  assert.equal(sent('CANCEL').length, 1);
  await respond(200);
  assert.equal(outcome(), 'cancelled');
  assert.equal(sent('ACK').length, 1);
  assert.equal(sent('BYE').length, 1);
  await respond(200);
  assert.equal(sent('ACK').length, 2, 'a copy of the late 2xx is acknowledged again');
  assert.equal(sent('BYE').length, 1);
  await respond(200, 'fork-1', sent('BYE')[0]);
  await respond(200, 'fork-1', sent('CANCEL')[0]);
  assert.equal(agent.dialogs, 0);
  clock.advance(32_000);
  assert.equal(agent.transactions + clock.pending, 0);
});

test('timeouts of the caller: no response at all, no final response; a 2xx after them is ended', async () => {
  const silent = await invite({ provisionalTimeoutMs: 2000 });
  silent.clock.advance(2000);
  await settle();
  assert.equal(silent.outcome(), 'timed-out');
  await silent.respond(200);
  assert.deepEqual([silent.sent('ACK').length, silent.sent('BYE').length], [1, 1]);

  const ringing = await invite({ provisionalTimeoutMs: 2000, finalTimeoutMs: 10_000 });
  await ringing.respond(180);
  ringing.clock.advance(9999);
  await settle();
  assert.equal(ringing.outcome(), undefined);
  ringing.clock.advance(1);
  await settle();
  assert.equal(ringing.outcome(), 'timed-out');
  assert.equal(ringing.sent('CANCEL').length, 1);
});

test('RFC 3261 §17.1.1.2: without any response timer B rejects', async () => {
  const { clock, outcome, agent } = await invite({}, 'udp');
  clock.advance(32_000);
  await settle();
  assert.equal(outcome(), 'timed-out');
  assert.equal(agent.transactions + clock.pending, 0);
});

test('a connection that closes, or cannot be opened, rejects', async () => {
  const closing = await invite();
  closing.flow.close();
  closing.transports.emit('closed', closing.flow);
  await settle();
  assert.equal(closing.outcome(), 'transport-failed');
  const abort = new AbortController();
  abort.abort();
  assert.equal((await invite({ signal: abort.signal })).outcome(), 'cancelled');
});

test('a 2xx without Contact rejects, and is acknowledged and ended all the same', async () => {
  const { transports, sent, flow, outcome } = await invite();
  const [request] = sent('INVITE');
  assert.ok(request);
  transports.receive(createResponse(request, 200, { toTag: 'x' }), flow);
  await settle();
  assert.equal(outcome(), 'malformed');
  assert.deepEqual([sent('ACK').length, sent('BYE').length], [1, 1]);
});

test('RFC 3261 §14.1: one re-INVITE at a time; its 491 is returned and the dialog goes on', async () => {
  const { respond, sent, session } = await invite();
  await respond(200);
  const { dialog } = session();
  const first = dialog.reinvite({ body: 'v=0', contentType: 'application/sdp' });
  await settle();
  await assert.rejects(dialog.reinvite({ body: 'v=0', contentType: 'application/sdp' }), {
    code: 'not-possible',
    status: 491,
  });
  const request = sent('INVITE')[1];
  assert.equal(request?.headers.get('CSeq'), '2 INVITE');
  assert.equal(request?.headers.get('Contact'), '<sip:src@192.0.2.1:5060>');
  await respond(491, 'fork-1', request);
  assert.equal((await first).status, 491);
  const second = dialog.reinvite({ body: 'v=0', contentType: 'application/sdp' });
  await settle();
  await respond(200, 'fork-1', sent('INVITE')[2]);
  assert.equal((await second).status, 200);
  assert.equal(sent('ACK').at(-1)?.headers.get('CSeq'), '3 ACK');
});

test('the BYE of an unwanted 2xx says what its owner wants to say, of a wanted one nothing of it', async () => {
  const abort = new AbortController();
  const unwantedBye = () => ({
    headers: new Headers([['X-AccountId', 'contoso']]),
    body: Buffer.from('<recording/>'),
    contentType: 'application/rs-metadata+xml',
  });
  const late = await invite({ signal: abort.signal, unwantedBye });
  await late.respond(180);
  abort.abort();
  await late.respond(200);
  const fork = await invite({ unwantedBye });
  await fork.respond(200, 'fork-1');
  await fork.respond(200, 'fork-2');
  for (const [bye] of [late.sent('BYE'), fork.sent('BYE')]) {
    assert.equal(bye?.headers.get('X-AccountId'), 'contoso');
    assert.equal(bye?.headers.get('Content-Type'), 'application/rs-metadata+xml');
    assert.equal(String(bye?.body), '<recording/>');
  }
  void fork.session().dialog.bye();
  await settle();
  assert.equal(fork.sent('BYE').at(-1)?.headers.has('X-AccountId'), false);
});

test('an unwantedBye that throws costs its words, not the BYE', async () => {
  const { respond, sent, agent } = await invite({
    unwantedBye: () => {
      throw new Error('nothing to say');
    },
  });
  const faults: string[] = [];
  agent.on('fault', (error) => faults.push(error.message));
  await respond(200, 'fork-1');
  await respond(200, 'fork-2');
  assert.equal(sent('BYE').length, 1);
  assert.deepEqual(faults, ['nothing to say']);
});

test('bye() is sent once, and resolves with undefined when nobody answers', async () => {
  const { respond, session, sent, clock, agent } = await invite({}, 'udp');
  await respond(200);
  const { dialog } = session();
  const bye = dialog.bye({ timeoutMs: 3000 });
  assert.equal(dialog.bye(), bye);
  await settle();
  clock.advance(3000);
  assert.equal(await bye, undefined);
  assert.equal(dialog.state.state, 'terminated');
  assert.equal(new Set(sent('BYE').map((request) => request.headers.get('Via'))).size, 1);
  assert.equal(agent.dialogs, 0);
});

test('the dialog outlives its connection: the next request dials the target again, fresh no more', async () => {
  const dialledFresh = { protocol: 'tcp', host: '192.0.2.2', port: 5060, fresh: true } as const;
  const { respond, session, flow, transports, clock, agent } = await invite({ target: dialledFresh });
  assert.deepEqual(transports.dialled, [dialledFresh]);
  await respond(200);
  const { dialog } = session();
  let told = 0;
  dialog.on('flowClosed', () => {
    told += 1;
  });
  flow.close();
  transports.emit('closed', flow);
  assert.equal(told, 1);
  assert.equal(agent.dialogs, 1);
  const fresh = new ScriptedFlow(clock, 'tcp');
  transports.next = fresh;
  void dialog.bye();
  await settle();
  assert.deepEqual(transports.dialled.at(-1), { protocol: 'tcp', host: '192.0.2.2', port: 5060 });
  assert.deepEqual(fresh.times('BYE'), [0]);
});

test('a request whose sending fails at once rejects, and the dialog stays', async () => {
  const { respond, session, flow, agent, clock } = await invite();
  await respond(200);
  const { dialog } = session();
  flow.broken = true;
  await assert.rejects(dialog.request('INFO'), { code: 'transport-failed' });
  await assert.rejects(dialog.reinvite({ body: 'v=0' }), { code: 'transport-failed' });
  assert.equal(agent.dialogs, 1);
  await assert.rejects(dialog.request('INFO', { signal: AbortSignal.abort() }), { code: 'cancelled' });
  assert.equal(await dialog.bye(), undefined);
  clock.advance(32_000);
  assert.equal(agent.dialogs + agent.transactions + clock.pending, 0);
});

test('close() rejects who waits and ends every timer', async () => {
  const pending = await invite({ finalTimeoutMs: 60_000 }, 'udp');
  await pending.agent.close();
  await settle();
  assert.equal(pending.outcome(), 'transport-failed');
  assert.equal(pending.clock.pending, 0);

  const live = await invite({}, 'udp');
  await live.respond(200);
  const info = live.session().dialog.request('INFO');
  await settle();
  await live.agent.close();
  await assert.rejects(info, { code: 'transport-failed' });
  assert.equal(live.agent.dialogs + live.agent.transactions + live.clock.pending, 0);
});
