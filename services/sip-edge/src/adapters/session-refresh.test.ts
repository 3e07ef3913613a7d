// Session timers of the edge (RFC 4028) on a clock of the test: refreshes that no application sees, and their end.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { ManualClock, type SipRequest, tagOf } from '@sidestream/sip';
import { type AppDialog, type AppReply, connectApp, type DrachtioApp, next } from '../contract/drachtio-app.js';
import { sipEdge } from '../contract/embedded-edge.js';
import { answer, RawCall, sdp } from '../contract/raw-call.js';
import { RawPeer } from '../contract/raw-peer.js';

interface Established {
  readonly clock: ManualClock;
  readonly app: DrachtioApp;
  readonly peer: RawPeer;
  readonly call: RawCall;
  readonly dialog: AppDialog;
  /** What the application was told in the dialog. */
  readonly told: string[];
  /** Moves the time on; what is due by then goes out. */
  pass(seconds: number): void;
}

/** A call of the peer with this Session-Expires in its INVITE, on a clock that stands still. */
async function inCall(sessionExpires: string, body: (established: Established) => Promise<void>): Promise<void> {
  const clock = new ManualClock();
  const edge = await sipEdge({ clock }).start();
  const told: string[] = [];
  const app = await connectApp(edge, (srf) =>
    srf.invite(async (request, reply) => {
      const dialog = await srf.createUAS(request, reply, { localSdp: sdp(41_000) });
      for (const event of ['modify', 'update', 'ack', 'refresh']) {
        dialog.on(event, (_request: unknown, answering?: AppReply) => {
          told.push(event);
          answering?.send(200, { body: sdp(41_002) });
        });
      }
      dialog.on('destroy', (_bye: unknown, reason: string) => app.emit('gone', reason));
      srf.emit('answered', dialog);
    }),
  );
  const peer = await RawPeer.udp(edge.udp);
  try {
    const call = new RawCall(peer);
    const answered = next(app, 'answered');
    const ok = await call.establish({ headers: { Supported: 'timer', 'Session-Expires': sessionExpires } });
    const [dialog] = (await answered) as [AppDialog];
    call.toTag = tagOf(ok.to) ?? '';
    await eventually(() => told.includes('ack'), 'the ACK has come');
    told.length = 0;
    await body({ clock, app, peer, call, dialog, told, pass: (seconds) => clock.advance(seconds * 1_000) });
  } finally {
    app.disconnect();
    await peer.close();
    await edge.stop();
  }
}

/** Answers a refresh of the edge and waits for its ACK. */
async function refreshed(peer: RawPeer, refresh: SipRequest, sessionExpires?: string): Promise<void> {
  const headers = sessionExpires === undefined ? {} : { 'Session-Expires': sessionExpires, Require: 'timer' };
  answer(peer, refresh, 200, { headers, body: sdp(40_000) });
  assert.equal((await peer.request('ACK')).cseq.number, refresh.cseq.number);
}

describe('the edge refreshes', () => {
  test('RFC 4028 §7.4: at half the interval, with the last description, unseen by the application; again after the 200', () =>
    inCall('90;refresher=uas', async ({ peer, dialog, told, pass }) => {
      for (let count = 0; count < 2; count += 1) {
        pass(45);
        const refresh = await peer.request('INVITE');
        assert.equal(refresh.headers.get('Session-Expires'), '90;refresher=uac');
        assert.equal(refresh.headers.get('Supported'), 'timer');
        assert.equal(refresh.body.toString(), sdp(41_000));
        assert.equal(refresh.headers.get('Content-Type'), 'application/sdp');
        await refreshed(peer, refresh, '90;refresher=uac');
      }
      // The application's next request has the number after the refreshes.
      const informing = dialog.request({ method: 'INFO' });
      const info = await peer.request('INFO');
      assert.equal(info.cseq.number, 3);
      answer(peer, info, 200);
      assert.equal((await informing).status, 200);
      assert.deepEqual(told, []);
    }));

  test('two hours of refreshes by the edge keep a call up, and not one more is sent than is due', () =>
    inCall('1800;refresher=uas', async ({ app, peer, call, told, pass }) => {
      let gone = false;
      app.once('gone', () => {
        gone = true;
      });
      for (let count = 0; count < 8; count += 1) {
        pass(900);
        await refreshed(peer, await peer.request('INVITE'), '1800;refresher=uac');
      }
      call.send('BYE');
      await peer.response(200, 'BYE');
      assert.deepEqual([gone, told], [true, []]);
      assert.deepEqual(
        peer.unread.filter((message) => message.kind === 'request'),
        [],
      );
    }));

  test('two hours of refreshes by the peer keep a call up: re-INVITE with SDP, without it (RFC 3264 §5), and UPDATE', () =>
    inCall('1800;refresher=uac', async ({ app, peer, call, told, pass }) => {
      const session = { Supported: 'timer', 'Session-Expires': '1800;refresher=uac' };
      let gone = 0;
      app.on('gone', () => {
        gone += 1;
      });
      for (let count = 0; count < 8; count += 1) {
        pass(900);
        const method = count % 3 === 2 ? 'UPDATE' : 'INVITE';
        const late = count % 3 === 1;
        call.send(method, { headers: session, body: late || method === 'UPDATE' ? '' : sdp(40_000) });
        const ok = await peer.response(200, method);
        assert.equal(ok.headers.get('Session-Expires'), '1800;refresher=uac');
        if (method === 'INVITE') {
          if (late) assert.match(ok.body.toString(), /^m=audio /m);
          call.send('ACK', { cseq: ok.cseq.number, body: late ? sdp(40_000) : '' });
          await eventually(() => told.at(-1) === 'ack', 'the application has the ACK');
          told.length = 0;
        }
      }
      pass(1_790);
      assert.equal(gone, 0);
      pass(20);
      assert.match((await peer.request('BYE')).headers.get('Reason') ?? '', /Session timer expired/);
    }));

  test('RFC 3261 §13.2.2.4: a copy of the 200 to a refresh is acknowledged again', () =>
    inCall('90;refresher=uas', async ({ peer, pass }) => {
      pass(45);
      const refresh = await peer.request('INVITE');
      await refreshed(peer, refresh, '90;refresher=uac');
      await refreshed(peer, refresh, '90;refresher=uac');
    }));

  test('RFC 4028 §7.2: a 200 without Session-Expires ends the timer, the call goes on', () =>
    inCall('90;refresher=uas', async ({ peer, call, pass }) => {
      pass(45);
      await refreshed(peer, await peer.request('INVITE'));
      pass(1_000);
      call.send('BYE');
      await peer.response(200, 'BYE');
      assert.deepEqual(
        peer.unread.filter((message) => message.kind === 'request'),
        [],
      );
    }));

  test('RFC 4028 §7.4: 422 is asked again with its Min-SE', () =>
    inCall('90;refresher=uas', async ({ peer, pass }) => {
      pass(45);
      answer(peer, await peer.request('INVITE'), 422, { headers: { 'Min-SE': '240' } });
      await peer.request('ACK');
      const again = await peer.request('INVITE');
      assert.equal(again.headers.get('Session-Expires'), '240;refresher=uac');
      assert.equal(again.headers.get('Min-SE'), '240');
      await refreshed(peer, again, '240;refresher=uac');
    }));

  test('RFC 3261 §14.1: 491 is tried again within 2 s, as the peer chose the Call-ID', () =>
    inCall('90;refresher=uas', async ({ peer, pass }) => {
      pass(45);
      answer(peer, await peer.request('INVITE'), 491);
      await peer.request('ACK');
      pass(2);
      await refreshed(peer, await peer.request('INVITE'), '90;refresher=uac');
    }));

  for (const [name, refuse] of [
    ['481', (peer: RawPeer, refresh: SipRequest) => answer(peer, refresh, 481)],
    ['408', (peer: RawPeer, refresh: SipRequest) => answer(peer, refresh, 408)],
  ] as const) {
    test(`RFC 4028 §10: ${name} ends the call`, () =>
      inCall('90;refresher=uas', async ({ app, peer, pass }) => {
        const gone = next(app, 'gone');
        pass(45);
        refuse(peer, await peer.request('INVITE'));
        const bye = await peer.request('BYE');
        assert.equal(bye.headers.get('Reason'), 'SIP;cause=200;text="Session timer expired"');
        assert.deepEqual(await gone, ['Session timer expired']);
      }));
  }

  test('RFC 4028 §10: no answer ends the call when the interval is over', () =>
    inCall('90;refresher=uas', async ({ app, peer, pass }) => {
      const gone = next(app, 'gone');
      pass(45);
      await peer.request('INVITE');
      pass(32);
      await peer.request('BYE');
      await gone;
    }));

  test('RFC 3261 §14.1: a re-INVITE of the application waits for the refresh, a BYE does not', () =>
    inCall('90;refresher=uas', async ({ peer, dialog, pass }) => {
      pass(45);
      const refresh = await peer.request('INVITE');
      const modifying = dialog.modify(sdp(41_004));
      const informing = dialog.request({ method: 'INFO' });
      answer(peer, await peer.request('INFO'), 200);
      await informing;
      assert.deepEqual(
        peer.unread.filter((message) => message.kind === 'request' && message.method === 'INVITE'),
        [],
      );
      await refreshed(peer, refresh, '90;refresher=uac');
      const reinvite = await peer.request('INVITE');
      assert.equal(reinvite.body.toString(), sdp(41_004));
      // RFC 4028 §7.4: it refreshes the session too, and says so.
      assert.equal(reinvite.headers.get('Session-Expires'), '90;refresher=uac');
      await Promise.all([refreshed(peer, reinvite, '90;refresher=uac'), modifying]);

      pass(45);
      await peer.request('INVITE');
      const destroyed = dialog.destroy();
      answer(peer, await peer.request('BYE'), 200);
      await destroyed;
    }));

  test('after a re-INVITE of the application the edge refreshes with its description', () =>
    inCall('90;refresher=uas', async ({ peer, dialog, pass }) => {
      const modifying = dialog.modify(sdp(41_006));
      await refreshed(peer, await peer.request('INVITE'), '90;refresher=uac');
      await modifying;
      pass(45);
      assert.equal((await peer.request('INVITE')).body.toString(), sdp(41_006));
    }));
});

describe('the peer refreshes', () => {
  test('RFC 4028 §10: without a refresh BYE a third of the interval before its end; the application is told', () =>
    inCall('90;refresher=uac', async ({ app, peer, call, pass }) => {
      const gone = next(app, 'gone');
      pass(59);
      assert.deepEqual(
        peer.unread.filter((message) => message.kind === 'request'),
        [],
      );
      pass(1);
      const bye = await peer.request('BYE');
      assert.equal(bye.headers.get('Reason'), 'SIP;cause=200;text="Session timer expired"');
      assert.equal(bye.callId, call.callId);
      assert.deepEqual(await gone, ['Session timer expired']);
      answer(peer, bye, 200);
    }));

  test('a re-INVITE or UPDATE of the peer moves the end; one that is refused with 422 does not', () =>
    inCall('90;refresher=uac', async ({ app, peer, call, told, pass }) => {
      const gone = next(app, 'gone');
      const headers = { Supported: 'timer', 'Session-Expires': '90;refresher=uac' };
      pass(50);
      call.send('INVITE', { headers, body: sdp(40_002) });
      await peer.response(200, 'INVITE');
      call.send('ACK', { cseq: call.cseq });
      await eventually(() => told.includes('ack'), 'the ACK has come');
      pass(50);
      call.send('UPDATE', { headers });
      await peer.response(200, 'UPDATE');
      pass(50);
      call.send('UPDATE', { headers: { ...headers, 'Session-Expires': '20;refresher=uac' } });
      await peer.response(422, 'UPDATE');
      pass(10);
      await peer.request('BYE');
      await gone;
    }));
});

describe('a call of the application', () => {
  for (const [refresher, what, seconds] of [
    ['uac', 'INVITE', 45],
    ['uas', 'BYE', 60],
  ] as const) {
    test(`RFC 4028 §7.2: refresher=${refresher} in the 200: ${what} after ${seconds} s`, async () => {
      const clock = new ManualClock();
      const edge = await sipEdge({ clock }).start();
      const app = await connectApp(edge, () => undefined);
      const callee = await RawPeer.udp(edge.udp);
      try {
        const headers = { Supported: 'timer', 'Session-Expires': '90' };
        const calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, { localSdp: sdp(1), headers });
        const invite = await callee.request('INVITE');
        assert.equal(invite.headers.get('Session-Expires'), '90');
        answer(callee, invite, 200, { headers: { 'Session-Expires': `90;refresher=${refresher}` }, body: sdp(2) });
        const dialog = await calling;
        await callee.request('ACK');
        const destroyed = what === 'BYE' ? next(dialog, 'destroy') : undefined;
        clock.advance(seconds * 1_000);
        const request = await callee.request(what);
        assert.equal(tagOf(request.to), 'raw-tag');
        await destroyed;
      } finally {
        app.disconnect();
        await callee.close();
        await edge.stop();
      }
    });
  }

  test('RFC 4028 §7.3: 422 is the application’s to answer', async () => {
    const edge = await sipEdge().start();
    const app = await connectApp(edge, () => undefined);
    const callee = await RawPeer.udp(edge.udp);
    try {
      const headers = { Supported: 'timer', 'Session-Expires': '90' };
      const calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, { localSdp: sdp(1), headers });
      const rejected = assert.rejects(calling, { status: 422 });
      answer(callee, await callee.request('INVITE'), 422, { headers: { 'Min-SE': '600' } });
      await rejected;
    } finally {
      app.disconnect();
      await callee.close();
      await edge.stop();
    }
  });
});
