import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import type { TracedMessage } from '../../message-trace.js';
import { writeRtp } from '../../rtp/rtp-packet.js';
import { RecordingClient, withRecorder } from '../recording-client-fixture.js';
import {
  answerInactive,
  answerInMultipart,
  answerInPlainRtp,
  answerInstantly,
  answerOneCodec,
  answerOneStream,
  answerWithOtherSuite,
  answerWithoutCrypto,
  refuseOneStream,
  renameLabels,
} from './answers.js';
import { answerTo, gone, meet, TIMEOUT } from './misbehaving-recorder.js';

test('well behaved: RTP/SAVP, recvonly, one key of its own per stream, labels echoed', TIMEOUT, async (t) => {
  const { sdp } = await answerTo(t, {});
  assert.equal(sdp.match(/^m=audio \d+ RTP\/SAVP 0 8 101\r$/gm)?.length, 2);
  assert.equal(sdp.match(/^a=recvonly\r$/gm)?.length, 2);
  const keys = sdp.match(/inline:\S+/g) ?? [];
  assert.equal(new Set(keys).size, 2);
  assert.deepEqual(sdp.match(/label:\w+/g), ['label:inbound', 'label:outbound']);
});

test('answers in plain RTP, without crypto, with another suite', TIMEOUT, async (t) => {
  const plain = (await answerTo(t, answerInPlainRtp())).sdp;
  assert.match(plain, /RTP\/AVP 0/);
  assert.doesNotMatch(plain, /SAVP|crypto/);
  const keyless = (await answerTo(t, answerWithoutCrypto())).sdp;
  assert.match(keyless, /RTP\/SAVP/);
  assert.doesNotMatch(keyless, /crypto/);
  const other = (await answerTo(t, answerWithOtherSuite())).sdp;
  assert.equal(other.match(/a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:/g)?.length, 2);
});

test('answers one m-line, refuses one stream, takes one codec', TIMEOUT, async (t) => {
  assert.equal((await answerTo(t, answerOneStream())).sdp.match(/^m=/gm)?.length, 1);
  const refused = (await answerTo(t, refuseOneStream(1))).sdp.match(/^m=audio \d+/gm);
  assert.equal(refused?.length, 2);
  assert.equal(refused?.[0], 'm=audio 0');
  assert.notEqual(refused?.[1], 'm=audio 0');
  const one = (await answerTo(t, answerOneCodec(8))).sdp;
  assert.equal(one.match(/^m=audio \d+ RTP\/SAVP 8\r$/gm)?.length, 2);
});

test('what comes in a codec that was offered, but not answered, is a finding', TIMEOUT, async (t) => {
  for (const [behaviour, names] of [
    [{}, []],
    [answerOneCodec(8), ['media-payload-type']],
  ] as const) {
    await meet(t, behaviour, async (src, recorder) => {
      await src.invite();
      src.send(0, [1]);
      const [session] = recorder.sessions;
      await eventually(() => session?.streams[0]?.statistics.received === 1, 'the packet is there');
      assert.deepEqual(
        session?.findings.map(({ name }) => name),
        names,
      );
    });
  }
});

test('answers inactive, with other labels', TIMEOUT, async (t) => {
  assert.doesNotMatch((await answerTo(t, answerInactive())).sdp, /recvonly/);
  assert.match((await answerTo(t, renameLabels())).sdp, /label:recorder-1\r.*label:recorder-2\r/s);
});

test('answers in a multipart body, which a client has to unpack', TIMEOUT, async (t) => {
  await meet(t, answerInMultipart(), async (src) => {
    await src.invite();
    assert.match(src.session?.response.headers.get('Content-Type') ?? '', /^multipart\/mixed;boundary="/);
    assert.ok(src.voices.every(({ to }) => to !== undefined && to.port > 0));
  });
});

test('answers 200 in less than a millisecond, and records all the same', TIMEOUT, async (t) => {
  let askedAt = 0;
  const tookMs: number[] = [];
  const onMessage = ({ direction, message }: TracedMessage) => {
    if (direction === 'received' && message.kind === 'request' && message.method === 'INVITE')
      askedAt = performance.now();
    if (
      direction === 'sent' &&
      message.kind === 'response' &&
      message.cseq.method === 'INVITE' &&
      message.status === 200
    )
      tookMs.push(performance.now() - askedAt);
  };
  await withRecorder({ behaviour: answerInstantly(), lingerMs: 0, onMessage }, async (recorder, { tenant }) => {
    const src = await RecordingClient.create(recorder, tenant);
    t.after(() => src.close());
    // Cold code and a busy machine take longer.
    while (tookMs.length < 200 && !tookMs.some((ms) => ms < 1)) {
      await src.invite();
      src.send(0, [1, 2, 3]);
      const session = recorder.sessions.at(-1);
      await eventually(() => session?.streams[0]?.statistics.received === 3, 'the packets are there');
      await src.bye();
      await gone(recorder);
      assert.deepEqual(session?.findings, []);
    }
    assert.ok(Math.min(...tookMs) < 1, `${tookMs.map((ms) => ms.toFixed(2))} ms`);
  });
});

test('what is sent in clear, or with another key, is told apart from what authenticates', TIMEOUT, async (t) => {
  await meet(t, {}, async (src, recorder) => {
    await src.invite();
    const stream = recorder.sessions[0]?.streams[0];
    assert.ok(stream);
    const plain = writeRtp({
      marker: false,
      payloadType: 0,
      sequenceNumber: 2,
      timestamp: 160,
      ssrc: 77,
      payload: Buffer.alloc(160),
    });
    src.send(0, [1]);
    src.send(0, [2], () => plain);
    src.rekey(0);
    src.send(0, [3]);
    await eventually(() => stream.statistics.datagrams === 3, 'the packets are there');
    const { received, authFailures, inClear } = stream.statistics;
    assert.deepEqual({ received, authFailures, inClear }, { received: 1, authFailures: 2, inClear: 1 });
    const [packet] = stream.packets;
    assert.equal(packet?.sequenceNumber, 1);
    assert.ok(packet && Math.abs(packet.receivedAt - Date.now()) < 5_000);
  });
});
