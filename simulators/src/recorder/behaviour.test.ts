import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  answerInactive,
  answerInMultipart,
  answerInPlainRtp,
  answerWithoutCrypto,
  type Behaviour,
  byeAfter,
  combine,
  delayAnswer,
  parseBehaviour,
  rejectWith,
  renameLabels,
  staySilent,
} from './behaviour.js';
import type { RecorderSimulator } from './recorder-simulator.js';
import { RecordingClient, withRecorder } from './recording-client-fixture.js';

const TIMEOUT = { timeout: 20_000 };

async function meet(
  t: TestContext,
  behaviour: Behaviour,
  body: (src: RecordingClient, recorder: RecorderSimulator) => Promise<void>,
) {
  await withRecorder({ behaviour }, async (recorder, { tenant }) => {
    const src = await RecordingClient.create(recorder, tenant);
    t.after(() => src.close());
    await body(src, recorder);
  });
}

/** Waits until no session is open; the test's time limit bounds it. */
async function gone(recorder: RecorderSimulator): Promise<void> {
  while (recorder.active > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function answerTo(t: TestContext, behaviour: Behaviour): Promise<{ sdp: string; contentType: string }> {
  const seen = { sdp: '', contentType: '' };
  await meet(t, behaviour, async (src) => {
    await src.invite();
    seen.sdp = String(src.session?.response.body);
    seen.contentType = src.session?.response.headers.get('Content-Type') ?? '';
  });
  return seen;
}

test('well behaved: RTP/SAVP, recvonly, one key of its own per stream, labels echoed', TIMEOUT, async (t) => {
  const { sdp } = await answerTo(t, {});
  assert.equal(sdp.match(/^m=audio \d+ RTP\/SAVP 0 8 101\r$/gm)?.length, 2);
  assert.equal(sdp.match(/^a=recvonly\r$/gm)?.length, 2);
  const keys = sdp.match(/inline:\S+/g) ?? [];
  assert.equal(new Set(keys).size, 2);
  assert.deepEqual(sdp.match(/label:\w+/g), ['label:inbound', 'label:outbound']);
});

test('answers in plain RTP, without crypto, inactive, with other labels', TIMEOUT, async (t) => {
  const plain = (await answerTo(t, answerInPlainRtp())).sdp;
  assert.match(plain, /RTP\/AVP 0/);
  assert.doesNotMatch(plain, /SAVP|crypto/);
  const keyless = (await answerTo(t, answerWithoutCrypto())).sdp;
  assert.match(keyless, /RTP\/SAVP/);
  assert.doesNotMatch(keyless, /crypto/);
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

test('refuses with a status and header lines, and leaves no session', TIMEOUT, async (t) => {
  await meet(t, rejectWith(503, 'Busy', [['Retry-After', '7']]), async (src, recorder) => {
    await assert.rejects(src.invite(), (error) => {
      assert.ok(error instanceof Error && 'response' in error);
      const { response } = error as {
        response?: { status: number; reason: string; headers: { get(name: string): string | undefined } };
      };
      assert.deepEqual([response?.status, response?.reason, response?.headers.get('Retry-After')], [503, 'Busy', '7']);
      return true;
    });
    await gone(recorder);
    assert.equal(recorder.sessions.length, 0);
  });
});

test('stays silent, or answers late', TIMEOUT, async (t) => {
  await meet(t, staySilent(), async (src) => {
    await assert.rejects(src.invite(), { code: 'timed-out' });
  });
  await meet(t, delayAnswer(300), async (src) => {
    const before = performance.now();
    await src.invite();
    assert.ok(performance.now() - before >= 295);
  });
});

test('a client that cancels a late answer leaves no session behind', TIMEOUT, async (t) => {
  await meet(t, delayAnswer(60_000), async (src, recorder) => {
    await assert.rejects(src.invite(), { code: 'timed-out' });
    await gone(recorder);
    assert.equal(recorder.sessions.length, 0);
  });
});

test('hangs up after a time', TIMEOUT, async (t) => {
  await meet(t, combine(renameLabels(), byeAfter(50)), async (src, recorder) => {
    await src.invite();
    await src.hungUp();
    assert.equal(await recorder.sessions[0]?.ended, 'recorder');
  });
});

test('behaviours are read from names for command lines', async () => {
  const signal = new AbortController().signal;
  assert.deepEqual(await parseBehaviour('inactive,reject=486').beforeAnswer?.({ initial: true, signal }), {
    status: 486,
  });
  assert.equal(await parseBehaviour('reject=486').beforeAnswer?.({ initial: false, signal }), undefined);
  for (const wrong of ['toString', 'reject=x', 'plain']) assert.throws(() => parseBehaviour(wrong), RangeError);
});
