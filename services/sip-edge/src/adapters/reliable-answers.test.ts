// Reliable provisional responses on a clock of the test: what happens when no PRACK comes, and when it comes late.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock, type SipResponse, tagOf } from '@sidestream/sip';
import { type AppReply, type AppRequest, connectApp, type DrachtioApp, next } from '../contract/drachtio-app.js';
import { type EmbeddedEdge, sipEdge } from '../contract/embedded-edge.js';
import { RawCall, sdp } from '../contract/raw-call.js';
import { RawPeer } from '../contract/raw-peer.js';

interface Ringing {
  readonly clock: ManualClock;
  readonly edge: EmbeddedEdge;
  readonly app: DrachtioApp;
  readonly caller: RawPeer;
  readonly call: RawCall;
  readonly early: SipResponse;
  readonly request: AppRequest;
  readonly reply: AppReply;
}

async function ringing(status: number, body: (state: Ringing) => Promise<void>): Promise<void> {
  const clock = new ManualClock();
  const edge = await sipEdge({ clock }).start();
  const app = await connectApp(edge, (srf) =>
    srf.invite((request, reply) => {
      const description = status === 183 ? { body: sdp(41_000) } : {};
      reply.send(status, { headers: { Require: '100rel' }, ...description }, () => srf.emit('sent', request, reply));
    }),
  );
  const caller = await RawPeer.udp(edge.udp);
  try {
    const call = new RawCall(caller);
    const sent = next(app, 'sent');
    call.send('INVITE', { body: sdp(40_000), headers: { Supported: '100rel' } });
    const early = await caller.response(status);
    call.toTag = tagOf(early.to) ?? '';
    const [request, reply] = (await sent) as [AppRequest, AppReply];
    await body({ clock, edge, app, caller, call, early, request, reply });
  } finally {
    app.disconnect();
    await caller.close();
    await edge.stop();
  }
}

describe('no PRACK', () => {
  test('RFC 3262 §3: repeats at T1, 3*T1, 7*T1 …, 504 after 64*T1, CANCEL for the application, nothing left', () =>
    ringing(183, async ({ clock, edge, caller, request }) => {
      for (const seconds of [0.5, 1, 2, 4, 8, 16]) {
        clock.advance(seconds * 1_000);
        await caller.response(183);
      }
      const cancelled = next(request, 'cancel');
      clock.advance(500);
      await caller.response(504, 'INVITE');
      const [cancel] = (await cancelled) as [AppRequest];
      assert.equal(cancel.get('Reason'), 'SIP;cause=504;text="no PRACK"');
      assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
    }));

  test('a 200 that waits for it is refused, so that the application has no call that is none', () =>
    ringing(183, async ({ clock, app, caller, request, reply }) => {
      const refused = assert.rejects(app.createUAS(request, reply, { localSdp: sdp(41_000) }), (error) => {
        assert.match(String(error), /unknown transaction/);
        return true;
      });
      // Frames are handled in order: the answer to this one says that the 200 has been dealt with.
      await app.request('sip:x@192.0.2.1', { method: 'OPTIONS' }).catch(() => undefined);
      clock.advance(32_000);
      await caller.response(504, 'INVITE');
      await refused;
      assert.equal(
        caller.unread.some((one) => one.kind === 'response' && one.status === 200),
        false,
      );
    }));
});

describe('a late PRACK', () => {
  test('RFC 3262 §3: after a 200 that need not wait it is answered 200 by the edge, and no longer asked for', () =>
    ringing(180, async ({ clock, app, caller, call, early, request, reply }) => {
      const answered = app.createUAS(request, reply, { localSdp: sdp(41_000) });
      await caller.response(200, 'INVITE');
      call.send('ACK', { cseq: 1 });
      const dialog = await answered;
      clock.advance(10_000);
      call.send('PRACK', { headers: { RAck: `${early.headers.get('RSeq')} 1 INVITE` } });
      await caller.response(200, 'PRACK');
      call.send('PRACK', { headers: { RAck: `${early.headers.get('RSeq')} 1 INVITE` } });
      await caller.response(481, 'PRACK');
      assert.equal(
        caller.unread.some((one) => one.kind === 'response' && one.status === 180),
        false,
      );
      const destroyed = next(dialog, 'destroy');
      call.send('BYE');
      await caller.response(200, 'BYE');
      await destroyed;
    }));
});

describe('a PRACK that is none', () => {
  for (const rack of ['', 'x', '1 1', '99999999999 1 INVITE']) {
    test(`400 for RAck '${rack}', and the call rings on`, () =>
      ringing(183, async ({ caller, call, early }) => {
        call.send('PRACK', { headers: { RAck: rack } });
        await caller.response(400, 'PRACK');
        call.send('PRACK', { headers: { RAck: `${early.headers.get('RSeq')} 1 INVITE` } });
        await caller.response(200, 'PRACK');
      }));
  }

  test('481 for one outside a dialog', () =>
    ringing(183, async ({ caller }) => {
      new RawCall(caller).send('PRACK', { headers: { RAck: '1 1 INVITE' } });
      await caller.response(481, 'PRACK');
    }));
});
