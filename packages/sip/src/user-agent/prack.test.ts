import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SipResponse } from '../message/sip-message.js';
import { settle } from '../transaction/scripted-flow.js';
import type { IncomingInvite } from './incoming-invite.js';
import { invite } from './scripted-invite.js';
import { peer } from './scripted-peer.js';

const reliably = { supported: ['100rel'] };

function rseq(value: number): { headers: [string, string][] } {
  return {
    headers: [
      ['Require', '100rel'],
      ['RSeq', String(value)],
    ],
  };
}

describe('RFC 3262 §4: the caller', () => {
  test('announces 100rel and PRACK, and acknowledges a reliable provisional response once, in its early dialog', async () => {
    const heard: number[] = [];
    const onProvisional = ({ status }: SipResponse): number => heard.push(status);
    const { sent, respond, outcome, session } = await invite({ onProvisional }, 'udp', reliably);
    assert.equal(sent('INVITE')[0]?.headers.get('Supported'), '100rel');
    assert.match(sent('INVITE')[0]?.headers.get('Allow') ?? '', /PRACK/);
    await respond(183, 'fork-1', undefined, rseq(776));
    await respond(183, 'fork-1', undefined, rseq(776));
    const [prack] = sent('PRACK');
    assert.ok(prack);
    assert.deepEqual(
      [sent('PRACK').length, prack.uri, prack.headers.get('RAck'), prack.headers.get('CSeq')],
      [1, 'sip:srs@192.0.2.2:5060', '776 1 INVITE', '2 PRACK'],
    );
    assert.deepEqual(heard, [183], 'a copy is not delivered');
    await respond(200, 'fork-1', prack);
    await respond(200);
    assert.equal(outcome(), 'accepted');
    void session().dialog.bye();
    await settle();
    assert.equal(sent('BYE')[0]?.headers.get('CSeq'), '3 BYE', 'the dialog goes on counting where the early one was');
  });

  test('drops what comes out of order until the one before it comes; every fork counts for itself', async () => {
    const heard: string[] = [];
    const { sent, respond } = await invite(
      { onProvisional: ({ status, headers }) => heard.push(`${status} ${headers.get('RSeq')}`) },
      'udp',
      reliably,
    );
    await respond(183, 'a', undefined, rseq(1));
    await respond(180, 'a', undefined, rseq(3));
    await respond(180, 'b', undefined, rseq(3));
    await respond(181, 'a', undefined, rseq(2));
    await respond(180, 'a', undefined, rseq(3));
    assert.deepEqual(heard, ['183 1', '180 3', '181 2', '180 3']);
    assert.deepEqual(
      sent('PRACK').map((prack) => `${prack.to.parameters.get('tag')} ${prack.headers.get('RAck')}`),
      ['a 1 1 INVITE', 'b 3 1 INVITE', 'a 2 1 INVITE', 'a 3 1 INVITE'],
    );
  });

  test('ignores one without usable RSeq', async () => {
    const { sent, respond } = await invite({ onProvisional: () => assert.fail('delivered') }, 'udp', reliably);
    await respond(183, 'a', undefined, { headers: [['Require', '100rel']] });
    await respond(183, 'a', undefined, rseq(0));
    assert.deepEqual(sent('PRACK'), []);
  });

  test('answers the offer of a reliable provisional response in the PRACK', async () => {
    const { sent, respond } = await invite(
      { prackContent: ({ body }) => ({ body: `answer to ${body}`, contentType: 'application/sdp' }) },
      'tcp',
      reliably,
    );
    await respond(183, 'a', undefined, { ...rseq(1), body: 'offer' });
    const [prack] = sent('PRACK');
    assert.deepEqual([String(prack?.body), prack?.headers.get('Content-Type')], ['answer to offer', 'application/sdp']);
  });

  test('who does not support 100rel sends no PRACK', async () => {
    const { sent, respond } = await invite({}, 'udp');
    await respond(183, 'a', undefined, rseq(1));
    assert.deepEqual(sent('PRACK'), []);
  });
});

/** An INVITE that has come, whose caller supports or requires 100rel. */
function called(header: 'Supported' | 'Require' = 'Supported') {
  const world = peer(reliably, 'udp');
  const invites: IncomingInvite[] = [];
  world.agent.on('invite', (invite) => invites.push(invite));
  world.send('INVITE', { headers: [[header, '100rel']], body: 'offer' });
  const [incoming] = invites;
  if (incoming === undefined) throw new Error('no INVITE');
  const prack = (rack: string | undefined, o: { cseq?: number; body?: string } = {}): SipResponse => {
    const toTag = world.last().to.parameters.get('tag') ?? undefined;
    world.send('PRACK', { cseq: o.cseq ?? 2, toTag, headers: rack === undefined ? [] : [['RAck', rack]], ...o });
    return world.last();
  };
  const status = (wanted: number): SipResponse[] =>
    world.flow.sent.flatMap(({ message }) =>
      message.kind === 'response' && message.status === wanted ? [message] : [],
    );
  const rack = (): string => `${world.last().headers.get('RSeq')} 1 INVITE`;
  return { ...world, incoming, prack, status, rack };
}

describe('RFC 3262 §3: the callee', () => {
  test('sends a provisional response reliably: Require, RSeq and Contact, repeated until its PRACK, which is answered 200', async () => {
    const { incoming, flow, last, rack, prack, clock } = called();
    assert.equal(await incoming.respond(183, { reliable: true, body: 'answer' }), true);
    assert.deepEqual([last().headers.get('Require'), last().headers.has('Contact')], ['100rel', true]);
    clock.advance(1500);
    assert.deepEqual(flow.times(183), [0, 500, 1500]);
    assert.equal(prack(rack()).status, 200);
    clock.advance(30_000);
    assert.deepEqual(flow.times(183), [0, 500, 1500]);
  });

  test('a caller that requires 100rel gets nothing else; one that does not support it gets no reliable one', async () => {
    const required = called('Require');
    await required.incoming.respond(180);
    assert.equal(required.last().headers.get('Require'), '100rel');
    const { agent, send, last } = peer(reliably);
    const outcomes: Promise<boolean>[] = [];
    agent.on('invite', (invite) => outcomes.push(invite.respond(180), invite.respond(183, { reliable: true })));
    send('INVITE');
    await assert.rejects(Promise.all(outcomes), { code: 'not-possible' });
    assert.deepEqual([last().status, last().headers.has('Require')], [180, false]);
  });

  test('a 2xx waits for the PRACK of a session description, and is repeated from then until its ACK', async () => {
    const { incoming, flow, rack, prack, clock, send, agent } = called();
    await incoming.respond(183, { reliable: true, body: 'answer' });
    const acknowledges = rack();
    const dialog = incoming.accept();
    assert.throws(() => incoming.accept(), { code: 'not-possible' });
    clock.advance(1000);
    assert.deepEqual(flow.times(200), []);
    assert.equal(dialog, agent.dialogs === 1 ? dialog : undefined);
    prack(acknowledges);
    clock.advance(500);
    assert.deepEqual(flow.times(200), [1000, 1000, 1500], 'that of the PRACK, that of the INVITE, its copy');
    send('ACK', { toTag: dialog.state.localTag });
    clock.advance(10_000);
    assert.equal(flow.times(200).length, 3);
  });

  test('without a PRACK for 64*T1 the INVITE is answered 504 and its signal aborted', async () => {
    const { incoming, last, clock, agent } = called();
    await incoming.respond(183, { reliable: true });
    clock.advance(32_000);
    await settle();
    assert.deepEqual([last().status, incoming.signal.aborted, agent.dialogs], [504, true, 0]);
  });

  test('a CANCEL while the 2xx waits is answered 487, and the dialog is gone', async () => {
    const { incoming, send, flow, agent, rack, prack, status } = called();
    await incoming.respond(183, { reliable: true, body: 'answer' });
    const acknowledges = rack();
    const ended: string[] = [];
    incoming.accept().on('ended', (reason) => ended.push(reason));
    send('CANCEL', { branch: 1 });
    assert.deepEqual([status(487).length, agent.dialogs, ended], [1, 0, ['remote']]);
    assert.equal(prack(acknowledges).status, 481);
    assert.equal(flow.times(200).length, 1, 'that of the CANCEL');
  });

  test('a PRACK with a body goes to the owner, one that acknowledges nothing is 481, one without RAck 400', async () => {
    const { incoming, rack, prack, last } = called();
    assert.equal(prack('1 1 INVITE').status, 481, 'no dialog');
    await incoming.respond(183, { reliable: true, body: 'offer' });
    const acknowledges = rack();
    assert.equal(prack('999 1 INVITE').status, 481);
    assert.equal(prack(undefined, { cseq: 3 }).status, 400);
    incoming.once('prack', (request) => void request.respond(200, { body: `read ${request.request.body}` }));
    prack(acknowledges, { cseq: 4, body: 'answer' });
    await settle();
    assert.deepEqual([last().status, String(last().body)], [200, 'read answer']);
    await incoming.respond(180, { reliable: true });
    assert.equal(prack(rack(), { cseq: 5, body: 'offer' }).status, 488, 'nobody listens');
  });
});
