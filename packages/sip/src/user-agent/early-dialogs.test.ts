import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tagOf } from '../message/name-addr.js';
import { settle } from '../transaction/scripted-flow.js';
import type { IncomingInvite } from './incoming-invite.js';
import { invite } from './scripted-invite.js';
import { peer } from './scripted-peer.js';
import type { UaDialog } from './ua-dialog.js';
import type { UserAgentOptions } from './user-agent.js';

/** An INVITE of ours that rings, with its early dialogs by tag. */
async function ringing(protocol: 'udp' | 'tcp' = 'tcp', body?: string) {
  const early = new Map<string, UaDialog>();
  const ended: string[] = [];
  const world = await invite(
    {
      body,
      onProvisional: (response, dialog) => {
        const tag = tagOf(response.to) ?? '';
        if (dialog === undefined || early.has(tag)) return;
        early.set(tag, dialog);
        dialog.on('ended', (reason) => ended.push(`${tag} ${reason}`));
      },
    },
    protocol,
    { supported: ['100rel'] },
  );
  const dialog = (tag = 'fork-1'): UaDialog => {
    const found = early.get(tag);
    if (found === undefined) throw new Error(`no early dialog ${tag}`);
    return found;
  };
  return { ...world, early, ended, dialog };
}

describe('the caller', () => {
  test('RFC 3261 §12.1.2: a 100 makes no early dialog, a 180 with a tag does, and the 2xx confirms that one', async () => {
    const { respond, early, dialog, agent, session } = await ringing();
    await respond(100);
    assert.equal(early.size, 0);
    await respond(180);
    assert.deepEqual([dialog().state.state, agent.dialogs], ['early', 1]);
    await respond(200);
    assert.equal(session().dialog, dialog());
    assert.deepEqual([dialog().state.state, agent.dialogs], ['confirmed', 1]);
  });

  test('RFC 3261 §13.2.2.4: the 2xx sets route set and target anew', async () => {
    const { respond, dialog } = await ringing();
    await respond(180, 'fork-1', undefined, { headers: [['Record-Route', '<sip:old.example.com;lr>']] });
    assert.deepEqual(dialog().state.routeSet, ['<sip:old.example.com;lr>']);
    await respond(200);
    assert.deepEqual(dialog().state.routeSet, []);
  });

  test('RFC 3261 §13.2.2.3: a failure ends every early dialog', async () => {
    const { respond, agent, ended } = await ringing();
    await respond(180, 'a');
    await respond(180, 'b');
    assert.equal(agent.dialogs, 2);
    await respond(486, 'a');
    assert.deepEqual([agent.dialogs, ended], [0, ['a remote', 'b remote']]);
  });

  test('RFC 3261 §13.2.2.3: the 487 of an INVITE that was given up ends them too, over UDP before timer D', async () => {
    const abort = new AbortController();
    const { respond, agent, outcome } = await invite({ signal: abort.signal }, 'udp');
    await respond(180);
    abort.abort();
    await settle();
    assert.deepEqual([outcome(), agent.dialogs], ['cancelled', 1]);
    await respond(487);
    assert.equal(agent.dialogs, 0);
  });

  test('RFC 3261 §13.2.2.4: forks that have not answered 64*T1 after the first 2xx are over', async () => {
    const { respond, agent, ended, clock } = await ringing();
    await respond(180, 'a');
    await respond(180, 'b');
    await respond(200, 'a');
    assert.equal(agent.dialogs, 2);
    clock.advance(32_000);
    assert.deepEqual([agent.dialogs, ended], [1, ['b remote']]);
  });

  test('RFC 3311 §5: UPDATE goes both ways before the answer, with Contact, and refreshes the target', async () => {
    const { respond, dialog, sent, receive } = await ringing();
    await respond(180);
    const asked = dialog().request('UPDATE');
    await settle();
    assert.deepEqual([sent('UPDATE')[0]?.contacts.length, sent('UPDATE')[0]?.headers.get('CSeq')], [1, '2 UPDATE']);
    await respond(200, 'fork-1', sent('UPDATE')[0]);
    assert.equal((await asked).status, 200);
    dialog().on('request', (request) => void request.respond(200));
    const answer = await receive('UPDATE', { body: 'offer' });
    assert.ok(answer.kind === 'response');
    assert.deepEqual([answer.status, answer.headers.get('Contact')], [200, '<sip:src@192.0.2.1:5060>']);
    assert.equal(dialog().state.remoteTarget, 'sip:srs@192.0.2.2:5062');
  });

  test('RFC 3311 §5.1, §5.2: no offer either way while that of the INVITE has no answer, any after a reliable 183 with one', async () => {
    const { respond, dialog, receive, sent } = await ringing('tcp', 'offer');
    await respond(180);
    await assert.rejects(dialog().request('UPDATE', { body: 'offer' }), { code: 'not-possible', status: 491 });
    const refused = await receive('UPDATE', { body: 'offer' });
    assert.equal(refused.kind === 'response' && refused.status, 491);
    await respond(183, 'fork-1', undefined, {
      headers: [
        ['Require', '100rel'],
        ['RSeq', '1'],
      ],
      body: 'answer',
    });
    void dialog().request('UPDATE', { body: 'offer' });
    await settle();
    assert.equal(sent('UPDATE').length, 1);
  });

  test('RFC 3261 §15: the caller may end one early dialog by BYE, and the INVITE goes on', async () => {
    const { respond, dialog, sent, agent, outcome } = await ringing();
    await respond(180, 'a');
    await respond(180, 'b');
    const bye = dialog('a').bye();
    await settle();
    await respond(200, 'a', sent('BYE')[0]);
    assert.equal((await bye)?.status, 200);
    assert.deepEqual([agent.dialogs, outcome()], [1, undefined]);
  });

  test('an early dialog makes no re-INVITE', async () => {
    const { respond, dialog } = await ringing();
    await respond(180);
    await assert.rejects(dialog().reinvite({}), { code: 'not-possible' });
  });
});

function called(options: Partial<UserAgentOptions> = {}, body?: string) {
  const world = peer(options, 'udp');
  const invites: IncomingInvite[] = [];
  world.agent.on('invite', (invite) => invites.push(invite));
  world.send('INVITE', {
    headers: [['Supported', '100rel']],
    ...(body === undefined ? {} : { body }),
  });
  const [incoming] = invites;
  if (incoming === undefined) throw new Error('no INVITE');
  return { ...world, incoming };
}

describe('the callee', () => {
  test('RFC 3261 §12.1.1: its 180 makes an early dialog, which takes and sends requests, and accept() confirms it', async () => {
    const { incoming, send, last, agent, requests, flow } = called();
    await incoming.respond(180);
    const { earlyDialog } = incoming;
    assert.ok(earlyDialog);
    assert.deepEqual([earlyDialog.state.state, agent.dialogs], ['early', 1]);
    earlyDialog.on('request', (request) => void request.respond(200));
    send('UPDATE', { cseq: 2, toTag: earlyDialog.state.localTag });
    await settle();
    assert.deepEqual([last().status, last().headers.get('Contact')], [200, earlyDialog.state.localContact]);
    void earlyDialog.request('UPDATE');
    await settle();
    assert.equal(requests('UPDATE')[0]?.uri, 'sip:alice@192.0.2.2:5060');
    const dialog = incoming.accept({ contact: '<sip:bob@192.0.2.1:5070>' });
    assert.equal(dialog, earlyDialog);
    assert.deepEqual([dialog.state.state, dialog.state.remoteCseq, dialog.state.localCseq], ['confirmed', 2, 1]);
    assert.equal(dialog.state.localContact, '<sip:bob@192.0.2.1:5070>');
    assert.equal(flow.last.headers.get('Contact'), '<sip:bob@192.0.2.1:5070>');
  });

  test('RFC 3261 §15: it sends no BYE in an early dialog; a refusal or a CANCEL ends it', async () => {
    for (const [end, reason] of [
      [({ incoming }: ReturnType<typeof called>) => void incoming.respond(486), 'local'],
      [({ send }: ReturnType<typeof called>) => void send('CANCEL', { branch: 1 }), 'remote'],
    ] as const) {
      const world = called();
      await world.incoming.respond(180);
      const ended: string[] = [];
      world.incoming.earlyDialog?.on('ended', (how) => ended.push(how));
      assert.equal(await world.incoming.earlyDialog?.bye(), undefined);
      assert.deepEqual([world.requests('BYE'), world.agent.dialogs], [[], 1]);
      end(world);
      assert.deepEqual([world.agent.dialogs, ended], [0, [reason]]);
    }
  });

  test('RFC 3311 §5.2: an offer that comes before the answer to that of the INVITE is 500 with Retry-After', async () => {
    const { incoming, send, last } = called({ supported: ['100rel'] }, 'offer');
    await incoming.respond(180);
    const toTag = incoming.earlyDialog?.state.localTag;
    send('UPDATE', { cseq: 2, toTag, body: 'offer' });
    assert.equal(last().status, 500);
    assert.match(last().headers.get('Retry-After') ?? '', /^(?:\d|10)$/);
    await incoming.respond(183, { reliable: true, body: 'answer' });
    send('UPDATE', { cseq: 3, toTag, body: 'offer' });
    assert.equal(last().status, 488, 'nobody listens, but it was let through');
  });

  test('RFC 3261 §13.3.1.1: while it rings, the provisional response is given again every minute', async () => {
    const { incoming, flow, clock } = called();
    await incoming.respond(180);
    clock.advance(150_000);
    await settle();
    assert.deepEqual(flow.times(180), [0, 60_000, 120_000]);
    incoming.accept();
    clock.advance(120_000);
    assert.equal(flow.times(180).length, 3);
  });
});
