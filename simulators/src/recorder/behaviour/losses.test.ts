import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { eventually } from '@sidestream/peers';
import { withRecorder } from '../recording-client-fixture.js';
import {
  deadAfter,
  forgetDialogs,
  ignoreOptions,
  ignorePings,
  networkDelay,
  resetAfter,
  resetBeforeInvite,
  resetOnInvite,
  restartAfter,
  swallowAfter,
} from './losses.js';
import { answering, gone, meet, refusal, TIMEOUT } from './misbehaving-recorder.js';

const quick = { timeoutMs: 300 };

test('resets connections before an INVITE, or the one that brings it, by RST', TIMEOUT, async (t) => {
  for (const behaviour of [resetBeforeInvite(), resetOnInvite()]) {
    await meet(t, behaviour, async (src, recorder) => {
      const error = await refusal(src);
      assert.equal(error.code, 'transport-failed', error.message);
      assert.match(error.message, /ECONNRESET|reset/i);
      await gone(recorder);
    });
  }
});

test('resets the connection after the answer, and still knows the dialog on a new one', TIMEOUT, async (t) => {
  await meet(t, resetAfter(50), async (src, recorder) => {
    await src.invite();
    const { dialog } = src.session ?? assert.fail();
    const [error] = await once(dialog, 'flowClosed');
    assert.match(String(error), /ECONNRESET|reset/i);
    assert.equal((await dialog.request('OPTIONS', quick)).status, 200);
    await src.bye();
    assert.equal(await recorder.sessions[0]?.ended, 'client');
  });
});

test('is dead after a time: the socket stays open, nothing is answered', TIMEOUT, async (t) => {
  await meet(t, deadAfter(100), async (src, recorder) => {
    await src.invite();
    const { dialog } = src.session ?? assert.fail();
    assert.equal((await dialog.request('OPTIONS', quick)).status, 200);
    const silence = async () =>
      dialog.request('INFO', quick).then(
        () => false,
        () => true,
      );
    await eventually(silence, 'it is dead');
    assert.equal(dialog.flow?.closed, false);
    recorder.behaviour = {};
  });
});

test('swallows media from a time on, and answers as before', TIMEOUT, async (t) => {
  await meet(t, swallowAfter(50), async (src, recorder) => {
    await src.invite();
    const statistics = () => recorder.sessions[0]?.streams[0]?.statistics ?? assert.fail();
    let sequence = 0;
    const swallows = () => {
      sequence += 1;
      src.send(0, [sequence]);
      return statistics().datagrams > statistics().received + 3;
    };
    await eventually(swallows, 'packets come and are not taken');
    const { dialog } = src.session ?? assert.fail();
    assert.equal((await dialog.request('OPTIONS', quick)).status, 200);
    await src.bye();
  });
});

test('does not answer OPTIONS within a dialog, but all else', TIMEOUT, async (t) => {
  await meet(t, ignoreOptions(), async (src) => {
    await src.invite();
    const { dialog } = src.session ?? assert.fail();
    await assert.rejects(dialog.request('OPTIONS', quick), { code: 'timed-out' });
    assert.equal((await dialog.request('INFO', quick)).status, 200);
    assert.equal((await src.agent.request({ ...src.outOfDialog, method: 'OPTIONS' })).status, 200);
  });
});

test('answers no keep-alive, but all else', TIMEOUT, async () => {
  const options = [
    'OPTIONS sip:SRS@localhost SIP/2.0',
    'Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK1',
    'Max-Forwards: 70',
    'From: <sip:SRC@localhost>;tag=1',
    'To: <sip:SRS@localhost>',
    'Call-ID: 1',
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
  for (const [behaviour, expected] of [
    [{}, /^\r\nSIP\/2\.0 200/],
    [ignorePings(), /^SIP\/2\.0 200/],
  ] as const) {
    await withRecorder({ behaviour }, async (recorder, { tenant }) => {
      const [ca, cert, key] = [tenant.trustFile, tenant.certFile, tenant.keyFile].map(
        (file) => file && readFileSync(file),
      );
      const socket = connect({ ...recorder.address, ca, cert, key, servername: 'recorder.test' });
      let heard = '';
      socket.on('data', (chunk) => {
        heard += chunk;
      });
      socket.write(`\r\n\r\n${options}`);
      await eventually(() => heard.includes('SIP/2.0'), 'OPTIONS is answered');
      assert.match(heard, expected);
      socket.destroy();
    });
  }
});

test('answers 481 to everything within its dialogs', TIMEOUT, async (t) => {
  await meet(t, forgetDialogs(), async (src) => {
    await src.invite();
    const { dialog } = src.session ?? assert.fail();
    assert.equal((await dialog.request('OPTIONS', quick)).status, 481);
  });
});

test('restarts: connections end, then it answers at the same address and knows no dialog', TIMEOUT, async (t) => {
  await meet(t, restartAfter(50, 200), async (src, recorder) => {
    await src.invite();
    const { dialog } = src.session ?? assert.fail();
    await once(dialog, 'flowClosed');
    assert.equal(await recorder.sessions[0]?.ended, 'error');
    const statuses: number[] = [];
    const ask = async () => {
      const response = await dialog.request('OPTIONS', quick).catch(() => undefined);
      if (response !== undefined) statuses.push(response.status);
      return response !== undefined;
    };
    await eventually(ask, 'it is back');
    assert.deepEqual(statuses, [481]);
    await src.invite();
    assert.equal(recorder.active, 1);
    await src.bye();
  });
});

test('is far away: handshake, answer, re-INVITE and media each take their way', TIMEOUT, async (t) => {
  await meet(t, networkDelay(50), async (src, recorder) => {
    const before = performance.now();
    await src.invite();
    // TLS 1.3 takes two round trips with the TCP handshake, of which loopback has done one; the INVITE takes another.
    assert.ok(performance.now() - before >= 195, `${performance.now() - before} ms`);
    const asked = performance.now();
    await src.reinvite('sendonly');
    assert.ok(performance.now() - asked >= 98);
    const sent = performance.now();
    src.send(0, [1, 2, 3]);
    await eventually(() => recorder.sessions[0]?.streams[0]?.statistics.received === 3, 'the packets are there');
    assert.ok(performance.now() - sent >= 49);
    assert.equal(answering(src).length, 0);
    await src.bye();
  });
});
