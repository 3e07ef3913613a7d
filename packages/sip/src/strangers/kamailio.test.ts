// Calls of ours through Debian's Kamailio, over TLS with certificates on both sides of each connection.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { eventually, reasonToSkip, startKamailio } from '@sidestream/peers';
import { createAuthority } from '@sidestream/pki';
import { Headers } from '../message/headers.js';
import type { IncomingRequest } from '../user-agent/incoming-request.js';
import type { InviteOptions } from '../user-agent/outgoing-invite.js';
import type { UaDialog } from '../user-agent/ua-dialog.js';
import { type Party, sdp, soon, withParty } from './party.js';
import { type Relay, withRelay } from './relay.js';
import { incoming, invite, placeReliably, takeReliably } from './session.js';

const skip = (await reasonToSkip([startKamailio])) ?? false;

function withParties(work: (caller: Party, callee: Party, relay: Relay) => Promise<void>): Promise<void> {
  return withRelay(async (relay) => {
    const identities = [await relay.identity('caller'), await relay.identity('callee')] as const;
    await withParty('tls', identities[0], (caller) =>
      withParty('tls', identities[1], async (callee) => {
        await work(caller, callee, relay);
        // Nothing has gone past Kamailio.
        for (const { peers } of [caller, callee]) assert.deepEqual([...peers], ['CN=kamailio']);
      }),
    );
  });
}

function call(caller: Party, callee: Party, { kamailio }: Relay, options?: Partial<InviteOptions>) {
  return invite(caller, caller.at({ host: kamailio.host, port: kamailio.tlsPort }), callee.uri, options);
}

for (const last of ['caller', 'callee'] as const) {
  test(`INVITE, re-INVITE, UPDATE and OPTIONS both ways by Record-Route and loose routing, BYE of the ${last}`, {
    skip,
  }, async () => {
    await withParties(async (caller, callee, relay) => {
      const taken: UaDialog[] = [];
      callee.agent.on('invite', (invite) => {
        const { request, flow } = invite;
        assert.equal(request.headers.get('X-TLS-Peer'), 'caller');
        assert.equal(flow.tls?.authorized, true);
        assert.equal(request.headers.values('Record-Route').length, 1);
        void invite.respond(180);
        taken.push(invite.accept({ contact: callee.contact, ...sdp }));
      });
      const { dialog } = await call(caller, callee, relay);
      const [remote] = taken;
      assert.ok(remote);
      assert.match(dialog.state.routeSet.join(), /^<sip:127\.0\.0\.1:\d+;transport=tls;lr>$/);
      assert.equal(dialog.state.remoteTarget, callee.uri);

      for (const [from, to, name] of [
        [dialog, remote, 'caller'],
        [remote, dialog, 'callee'],
      ] as const) {
        to.once('reinvite', (invite) => {
          assert.equal(invite.request.headers.get('X-TLS-Peer'), name);
          invite.accept(sdp);
        });
        assert.equal((await from.reinvite(sdp)).status, 200);
        to.once('request', (update) => void update.respond(200, sdp));
        assert.equal((await from.request('UPDATE', sdp)).body.toString(), sdp.body);
        assert.equal((await from.request('OPTIONS')).status, 200);
      }
      const [ending, ended] = last === 'caller' ? [dialog, remote] : [remote, dialog];
      const end = once(ended, 'ended', soon());
      assert.equal((await ending.bye())?.status, 200);
      assert.deepEqual(await end, ['remote']);

      const [bye, answer] = last === 'caller' ? ['BYE', '200 BYE'] : ['200 BYE', 'BYE'];
      const fromCaller = `INVITE, ACK, INVITE, ACK, UPDATE, OPTIONS, 200 INVITE, 200 UPDATE, 200 OPTIONS, ${bye}`;
      const fromCallee = `180 INVITE, 200 INVITE, 200 INVITE, 200 UPDATE, 200 OPTIONS, INVITE, ACK, UPDATE, OPTIONS, ${answer}`;
      assert.deepEqual([caller.crossed.sent, callee.crossed.received], [fromCaller, fromCaller]);
      assert.deepEqual([callee.crossed.sent, caller.crossed.received], [fromCallee, fromCallee]);
    });
  });
}

test('RFC 3262 §3, §4, RFC 3311 §5: PRACK for a 183, then UPDATE both ways before the answer', { skip }, async () => {
  await withParties(async (caller, callee, { kamailio }) => {
    const out = caller.at({ host: kamailio.host, port: kamailio.tlsPort });
    await Promise.all([takeReliably(callee), placeReliably(caller, out, callee.uri)]);
    const fromCaller = 'INVITE, PRACK, UPDATE, 200 UPDATE, ACK, BYE';
    const fromCallee = '183 INVITE, 200 PRACK, 200 UPDATE, UPDATE, 200 INVITE, 200 BYE';
    assert.deepEqual([caller.crossed.sent, callee.crossed.received], [fromCaller, fromCaller]);
    assert.deepEqual([callee.crossed.sent, caller.crossed.received], [fromCallee, fromCallee]);
  });
});

for (const who of ['caller', 'callee'] as const) {
  test(`the ${who}’s connection is lost: its BYE takes a new one to Kamailio`, { skip }, async () => {
    await withParties(async (caller, callee, relay) => {
      const taken: UaDialog[] = [];
      const acknowledged = new Promise((resolve) => {
        callee.agent.on('invite', (invite) => {
          taken.push(invite.accept({ contact: callee.contact, ...sdp }));
          invite.on('ack', resolve);
        });
      });
      const { dialog } = await call(caller, callee, relay);
      await acknowledged;
      const own = who === 'caller' ? dialog : taken[0];
      const lost = own?.flow;
      assert.ok(own && lost);
      const gone = once(own, 'flowClosed', soon());
      lost.close();
      await gone;
      assert.equal((await own.bye())?.status, 200);
      assert.notEqual(own.flow?.id, lost.id);
      assert.equal(own.flow?.tls?.peerSubject, 'CN=kamailio');
    });
  });
}

test('RFC 3261 §9: CANCEL while it rings: 487 from the callee, and nothing is left', { skip }, async () => {
  await withParties(async (caller, callee, relay) => {
    const abort = new AbortController();
    const ringing = incoming(callee);
    const onProvisional = ({ status }: { status: number }): void => {
      if (status === 180) abort.abort();
    };
    const calling = assert.rejects(call(caller, callee, relay, { signal: abort.signal, onProvisional }), {
      code: 'cancelled',
    });
    const ring = await ringing;
    const cancelled = once(ring, 'cancel', soon());
    void ring.respond(180);
    await Promise.all([calling, cancelled]);
    await eventually(() => callee.crossed.received === 'INVITE, CANCEL, ACK', 'the callee gets all of it');
    await eventually(
      () => caller.crossed.received === '180 INVITE, 200 CANCEL, 487 INVITE',
      'the caller gets all of it',
    );
  });
});

test('a refusal of the callee: its ACK is the proxy’s business, the caller gets the status', { skip }, async () => {
  await withParties(async (caller, callee, relay) => {
    callee.agent.on('invite', (invite) => void invite.respond(486));
    await assert.rejects(call(caller, callee, relay), { code: 'rejected', status: 486 });
  });
});

test('OPTIONS outside a dialog', { skip }, async () => {
  await withParties(async (caller, callee, { kamailio }) => {
    const { status } = await caller.agent.request({
      target: caller.at({ host: kamailio.host, port: kamailio.tlsPort }),
      method: 'OPTIONS',
      uri: callee.uri,
      from: '<sip:caller@127.0.0.1>',
    });
    assert.equal(status, 200);
  });
});

test('Kamailio asks OPTIONS by itself and gets our 200: it tells so in an INFO', { skip }, async () => {
  await withRelay(async (relay) => {
    await withParty('tls', await relay.identity('party'), async (party) => {
      const asked: IncomingRequest[] = [];
      const told = new Promise<void>((resolve, reject) => {
        soon().signal.addEventListener('abort', () => reject(new Error('it asks or tells nothing')));
        party.agent.on('request', (request) => {
          void request.respond(200);
          if (asked.push(request) === 2) resolve();
        });
      });
      const { status } = await party.agent.request({
        target: party.at({ host: relay.kamailio.host, port: relay.kamailio.tlsPort }),
        method: 'OPTIONS',
        uri: 'sip:ask@127.0.0.1',
        from: '<sip:party@127.0.0.1>',
        headers: new Headers([['X-Ask', party.uri]]),
      });
      assert.equal(status, 200);
      await told;
      assert.deepEqual(
        asked.map(({ request, flow }) => [request.method, request.body.toString(), flow.tls?.peerSubject]),
        [
          ['OPTIONS', '', 'CN=kamailio'],
          ['INFO', '200', 'CN=kamailio'],
        ],
      );
    });
  });
});

for (const side of ['caller', 'callee'] as const) {
  test(`a ${side} whose certificate Kamailio does not trust: no call`, { skip }, async () => {
    await withRelay(async (relay) => {
      const good = await relay.identity('good');
      const bad = await relay.identity('bad', await createAuthority('Other authority'));
      const [first, second] = side === 'caller' ? [bad, good] : [good, bad];
      await withParty('tls', first, (caller) =>
        withParty('tls', second, async (callee) => {
          callee.agent.on('invite', () => assert.fail('the call has come through'));
          // Kamailio finds out too late for a 477: its timer for the answer has to run out.
          const fault = side === 'caller' ? { code: 'tls-refused' } : { code: 'rejected', status: 408 };
          await assert.rejects(call(caller, callee, relay), fault);
        }),
      );
    });
  });
}
