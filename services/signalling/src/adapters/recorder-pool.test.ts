// The pool on real TLS sockets: which recorder is asked, and how that changes.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { Headers } from '@sidestream/sip';
import { failure, goodbye, inviteTo, never, RecorderStage, type StagedClient } from '../testing/recorder-stage.js';

const stage = await RecorderStage.open();
after(() => stage.close());

/** Quick enough to watch. */
const quick = { tendMs: 50, provenMs: 50, redialMs: 20 };
/** Nobody looks after connections while the test runs. */
const calm = { tendMs: 600_000, provenMs: 600_000, redialMs: 600_000 };

const breaker = (recorders: StagedClient) => recorders.metric('breaker_state');

function isClosed(recorders: StagedClient): Promise<void> {
  return eventually(async () => (await breaker(recorders)) === 0, 'the breaker is closed');
}

function isOpen(recorders: StagedClient): Promise<void> {
  return eventually(async () => (await breaker(recorders)) === 2, 'the breaker is open');
}

describe('which recorder is asked', { timeout: 30_000 }, () => {
  test('equals share by least sessions; one at its cap is left out, and refuses what comes all the same', async () => {
    const [first, second] = [await stage.recorder(), await stage.recorder()];
    const recorders = await stage.client([
      { recorder: first.uri(), place: 0, maxSessions: 1 },
      { recorder: second.uri(), place: 0 },
    ]);
    const list = [first.uri(), second.uri()];
    const one = await recorders.invite(inviteTo(first.uri()), never);
    assert.deepEqual(recorders.order('contoso', list), [second.uri()]);
    assert.equal(await recorders.metric('sessions', { recorder: first.uri() }), 1);
    const error = await failure(recorders.invite(inviteTo(first.uri()), never));
    assert.equal(error.code, 'overloaded');
    assert.match(error.message, /127\.0\.0\.1: all 1 sessions are taken/);
    const two = await recorders.invite(inviteTo(second.uri()), never);
    await one.bye(goodbye, never);
    assert.deepEqual(recorders.order('contoso', list), list);
    // A session that the recorder ends is over as well.
    const [peer] = second.dialogs;
    await peer?.bye();
    await eventually(async () => (await recorders.metric('sessions')) === 0, 'no session is left');
    await two.bye(goodbye, never);
  });

  test('a recorder outside the list of the tenant is never asked', async () => {
    const recorder = await stage.recorder();
    const recorders = await stage.client([]);
    assert.deepEqual(recorders.order('contoso', [recorder.uri()]), []);
    assert.equal((await failure(recorders.invite(inviteTo(recorder.uri()), never))).code, 'internal');
    assert.equal(recorder.connections, 0);
  });

  test('503 with Retry-After: the others come first, and it is left alone until then', async () => {
    const busy = await stage.recorder(
      (invite) => void invite.respond(503, { headers: new Headers([['Retry-After', '20']]) }),
    );
    const other = await stage.recorder();
    const recorders = await stage.client([busy.uri(), other.uri()], {}, { timing: calm });
    const list = [busy.uri(), other.uri()];
    assert.deepEqual(recorders.order('contoso', list), list);
    assert.equal((await failure(recorders.invite(inviteTo(busy.uri()), never))).code, 'recorder-refused');
    assert.deepEqual(recorders.order('contoso', list), [other.uri(), busy.uri()]);
    assert.deepEqual(recorders.order('contoso', [busy.uri()]), [busy.uri()]);
    const error = await failure(recorders.invite(inviteTo(busy.uri()), never));
    assert.equal(error.code, 'recorder-refused');
    assert.match(error.message, /wants no requests for another \d+ ms: INVITE: 503/);
    assert.equal(busy.invites.length, 1);
    assert.equal(busy.requests.length, 0);
  });

  test('after three silent INVITEs the others come first; where there is no other it is still tried, and a success closes', async () => {
    let answers = false;
    const slow = await stage.recorder((invite, self) => void (answers && self.accept(invite, 'answer')));
    const other = await stage.recorder();
    const recorders = await stage.client([slow.uri(), other.uri()], { finalTimeoutMs: 50 }, { timing: calm });
    const list = [slow.uri(), other.uri()];
    for (let i = 0; i < 3; i += 1) {
      assert.deepEqual(recorders.order('contoso', list), list);
      assert.equal((await failure(recorders.invite(inviteTo(slow.uri()), never))).code, 'recorder-unreachable');
    }
    assert.deepEqual(recorders.order('contoso', list), [other.uri(), slow.uri()]);
    assert.equal(await recorders.metric('failures_total', { class: 'timed-out' }), 3);
    answers = true;
    const dialog = await recorders.invite(inviteTo(slow.uri()), never);
    await dialog.bye(goodbye, never);
    assert.deepEqual(recorders.order('contoso', list), list);
    assert.deepEqual(
      recorders.logs.map(({ level, msg, breaker: phase }) => [level, msg, phase]),
      [
        ['warn', 'the recorder is avoided', 'open'],
        ['info', 'the recorder is asked again', 'closed'],
      ],
    );
  });

  test('403 opens at once; OPTIONS half-opens it after the backoff, one INVITE decides', async () => {
    let allowed = false;
    const strict = await stage.recorder((invite, self) => {
      if (allowed) self.accept(invite, 'answer');
      else void invite.respond(403);
    });
    const recorders = await stage.client([strict.uri()]);
    const asked = strict.nextRequest();
    await failure(recorders.invite(inviteTo(strict.uri()), never));
    assert.equal(await breaker(recorders), 2);
    const { request } = await asked;
    assert.equal(request.method, 'OPTIONS');
    assert.equal(request.headers.get('x-accountid'), 'AC0123');
    await eventually(async () => (await breaker(recorders)) === 1, 'it is half-open');
    allowed = true;
    await (await recorders.invite(inviteTo(strict.uri()), never)).bye(goodbye, never);
    assert.equal(await breaker(recorders), 0);
  });

  test('an answer that is no use opens at once: the recorder would answer the next call alike', async () => {
    const recorder = await stage.recorder();
    const recorders = await stage.client([recorder.uri()], {}, { timing: calm });
    const dialog = await recorders.invite(inviteTo(recorder.uri()), never);
    dialog.unusable('plain RTP');
    assert.equal(await breaker(recorders), 2);
    await dialog.bye(goodbye, never);
    assert.equal(await breaker(recorders), 2);
    assert.equal(recorders.logs[0]?.['why'], 'plain RTP');
    assert.equal(await recorders.metric('failures_total', { class: 'unusable' }), 1);
  });

  test('a call that was cancelled says nothing of the recorder', async () => {
    const slow = await stage.recorder((invite) => void invite.respond(180));
    const recorders = await stage.client([slow.uri()]);
    for (let i = 0; i < 4; i += 1) {
      const work = new AbortController();
      const ringing = slow.nextInvite();
      const attempt = failure(recorders.invite(inviteTo(slow.uri()), work.signal));
      await ringing;
      work.abort();
      assert.equal((await attempt).code, 'cancelled');
    }
    assert.equal(await breaker(recorders), 0);
    assert.equal(await recorders.metric('sessions'), 0);
  });
});

describe('the connection that is kept', { timeout: 30_000 }, () => {
  test('it is there before the first call, was tried by OPTIONS, and is dialled again when it is lost', async () => {
    const recorder = await stage.recorder();
    const proxy = await stage.proxyTo(recorder);
    const recorders = await stage.client([proxy.uri], {}, { timing: { ...calm, redialMs: 20 } });
    const asked = recorder.nextRequest();
    recorders.warm();
    await asked;
    assert.equal(recorder.connections, 1);
    const again = recorder.nextRequest();
    proxy.reset();
    await again;
    assert.equal(proxy.connections(), 2);
    assert.equal(await recorders.metric('failures_total', { class: 'connection-lost' }), 1);
    assert.equal(await breaker(recorders), 0);
    const dialog = await recorders.invite(inviteTo(proxy.uri), never);
    assert.equal(proxy.connections(), 2);
    await dialog.bye(goodbye, never);
  });

  test('OPTIONS is sent where no traffic has proven health, and only there', async () => {
    const recorder = await stage.recorder();
    const idle = await stage.client([recorder.uri()], {}, { timing: quick });
    idle.warm();
    for (let i = 0; i < 3; i += 1) await recorder.nextRequest();
    await idle.close();
    const other = await stage.recorder();
    const busy = await stage.client([other.uri()], {}, { timing: { ...quick, provenMs: 600_000 } });
    busy.warm();
    await other.nextRequest();
    for (let i = 0; i < 5; i += 1) await (await busy.invite(inviteTo(other.uri()), never)).bye(goodbye, never);
    assert.equal(other.requests.length, 1);
  });

  test('a recorder that is away opens the breaker without a call, and closes it once it is back', async () => {
    const first = await stage.recorder();
    const uri = first.uri();
    await first.close();
    const recorders = await stage.client([uri], {}, { timing: quick });
    recorders.warm();
    await isOpen(recorders);
    const { logs } = recorders;
    assert.match(String(logs[0]?.['why']), /ECONNREFUSED/);
    await stage.recorder(undefined, undefined, { host: '127.0.0.1', port: first.port });
    await isClosed(recorders);
    assert.equal(logs.length, 2);
    await (await recorders.invite(inviteTo(uri), never)).bye(goodbye, never);
  });

  test('a recorder that stops answering OPTIONS is avoided; one that never has answered any is not', async () => {
    const mute = await stage.recorder();
    mute.onOptions = () => {};
    const unasked = await stage.client([mute.uri()], { provisionalTimeoutMs: 30 }, { timing: quick });
    unasked.warm();
    for (let i = 0; i < 4; i += 1) await mute.nextRequest();
    assert.equal(await breaker(unasked), 0);
    await unasked.close();
    mute.onOptions = (request) => void request.respond(200);
    const recorders = await stage.client([mute.uri()], { provisionalTimeoutMs: 30 }, { timing: quick });
    recorders.warm();
    await mute.nextRequest();
    await eventually(() => mute.connections === 1, 'the connection is up');
    mute.onOptions = () => {};
    await isOpen(recorders);
    mute.onOptions = (request) => void request.respond(200);
    await isClosed(recorders);
  });

  test('OPTIONS answered 503 counts, any other answer is a sign of life', async () => {
    const recorder = await stage.recorder();
    recorder.onOptions = (request) => void request.respond(503);
    const recorders = await stage.client([recorder.uri()], {}, { timing: quick });
    recorders.warm();
    await isOpen(recorders);
    recorder.onOptions = (request) => void request.respond(404);
    await isClosed(recorders);
  });

  test('a warm connection that is silent costs one time-out where another recorder is left, and is replaced behind the scenes', async () => {
    const recorder = await stage.recorder();
    const proxy = await stage.proxyTo(recorder);
    const recorders = await stage.client(
      [proxy.uri],
      { provisionalTimeoutMs: 500 },
      { timing: { ...calm, redialMs: 20 } },
    );
    const first = await recorders.invite(inviteTo(proxy.uri), never);
    proxy.silence();
    const probe = recorder.nextRequest();
    const begun = performance.now();
    assert.equal((await failure(recorders.invite(inviteTo(proxy.uri), never))).code, 'recorder-unreachable');
    assert.ok(performance.now() - begun < 950);
    await probe;
    assert.equal(proxy.connections(), 2);
    // The dialog of the dead connection dials anew.
    assert.equal(await first.bye(goodbye, AbortSignal.timeout(2_000)), 200);
    assert.equal(proxy.connections(), 2);
  });

  test('a warm connection that ends by the INVITE costs no recorder', async () => {
    const recorder = await stage.recorder();
    const proxy = await stage.proxyTo(recorder);
    const recorders = await stage.client([proxy.uri], {}, { timing: calm });
    await (await recorders.invite(inviteTo(proxy.uri), never)).bye(goodbye, never);
    const lost = recorder.nextInvite().then(() => proxy.reset());
    recorder.onInvite = () => {};
    const attempt = recorders.invite(inviteTo(proxy.uri), never);
    await lost;
    recorder.onInvite = (invite, self) => void self.accept(invite, 'answer');
    await (await attempt).bye(goodbye, never);
    assert.equal(proxy.connections(), 2);
  });

  test('the name is looked up at each dial, and its addresses are raced', async () => {
    const recorder = await stage.recorder(undefined, stage.server({ dnsNames: ['recorder.test'] }), {
      host: '127.0.0.3',
      port: 0,
    });
    const lookup = async (host: string) => (host === 'recorder.test' ? ['127.0.0.2', '127.0.0.3'] : []);
    const uri = recorder.uri('recorder.test');
    const recorders = await stage.client([uri], {}, { timing: calm, lookup });
    const dialog = await recorders.invite(inviteTo(uri), never);
    assert.equal(dialog.host, 'recorder.test');
    await dialog.bye(goodbye, never);
    assert.equal(await recorders.metric('connect_seconds', { le: '1' }), 1);
  });
});
