import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { Headers } from '@sidestream/sip';
import { dynamics365, inviteHeaders } from '@sidestream/siprec';
import { ACCOUNT } from '../recording-client-fixture.js';
import { gone, meet, refusal, TIMEOUT } from './misbehaving-recorder.js';
import {
  answerTooLate,
  delayAnswer,
  glare,
  keepTrying,
  overloaded,
  rejectWith,
  staySilent,
  wantLongerSessions,
} from './refusals.js';

for (const [status, header] of [
  [302, 'Contact'],
  [401, 'WWW-Authenticate'],
  [420, 'Unsupported'],
  [486, undefined],
  [488, 'Warning'],
] as const) {
  test(
    `refuses with ${status}${header ? ` and the ${header} that belongs to it` : ''}, leaves no session`,
    TIMEOUT,
    async (t) => {
      await meet(t, rejectWith(status), async (src, recorder) => {
        const { response } = await refusal(src);
        assert.equal(response?.status, status);
        if (header !== undefined) assert.ok(response?.headers.get(header));
        await gone(recorder);
        assert.equal(recorder.sessions.length, 0);
      });
    },
  );
}

test('is overloaded: 503 with Retry-After', TIMEOUT, async (t) => {
  await meet(t, overloaded(7), async (src) => {
    const { response } = await refusal(src);
    assert.deepEqual([response?.status, response?.headers.get('Retry-After')], [503, '7']);
  });
});

test('stays silent: not even 100', TIMEOUT, async (t) => {
  await meet(t, staySilent(), async (src, recorder) => {
    const heard = src.heard();
    assert.equal((await refusal(src)).code, 'timed-out');
    assert.deepEqual(heard, []);
    assert.equal(recorder.active, 0);
  });
});

test('says 100 and nothing more', TIMEOUT, async (t) => {
  await meet(t, keepTrying(), async (src) => {
    const heard = src.heard();
    assert.equal((await refusal(src)).code, 'timed-out');
    assert.match(heard[0] ?? '', /^SIP\/2\.0 100 /);
    assert.ok(heard.every((text) => !text.startsWith('SIP/2.0 200 OK\r\n') || /^CSeq: \d+ CANCEL/m.test(text)));
  });
});

test('answers late; a client that cancels leaves no session behind', TIMEOUT, async (t) => {
  await meet(t, delayAnswer(300), async (src) => {
    const before = performance.now();
    await src.invite();
    assert.ok(performance.now() - before >= 295);
  });
  await meet(t, delayAnswer(60_000), async (src, recorder) => {
    assert.equal((await refusal(src)).code, 'timed-out');
    await gone(recorder);
    assert.equal(recorder.sessions.length, 0);
  });
});

test('answers 200 after its client has cancelled: the client has to acknowledge and end it', TIMEOUT, async (t) => {
  await meet(t, answerTooLate(1_300), async (src, recorder) => {
    const started = once(recorder, 'session');
    // The client waits for one second.
    assert.equal((await refusal(src)).code, 'timed-out');
    await started;
    await gone(recorder);
    assert.equal(await recorder.sessions[0]?.ended, 'client');
  });
});

test('RFC 3261 §14.1: answers re-INVITEs 491, the first ones or all', TIMEOUT, async (t) => {
  await meet(t, glare(2), async (src, recorder) => {
    await src.invite();
    const statuses: number[] = [];
    for (let times = 0; times < 3; times += 1) statuses.push(await src.reinviteStatus());
    assert.deepEqual(statuses, [491, 491, 200]);
    recorder.behaviour = glare();
    for (let times = 0; times < 3; times += 1) assert.equal(await src.reinviteStatus(), 491);
  });
});

test('RFC 4028 §9: wants a longer session timer, 422 with Min-SE', TIMEOUT, async (t) => {
  const headers = (seconds: number) =>
    new Headers([
      ...inviteHeaders(dynamics365, ACCOUNT),
      ['Supported', 'timer'],
      ['Session-Expires', `${seconds};refresher=uac`],
    ]);
  await meet(t, wantLongerSessions(1_800), async (src) => {
    const { response } = await src.invite({ headers: headers(90) }).then(
      () => assert.fail('the recorder accepted'),
      (error: { response?: { status: number; headers: Headers } }) => error,
    );
    assert.deepEqual([response?.status, response?.headers.get('Min-SE')], [422, '1800']);
    await src.invite({ headers: headers(1_800) });
    assert.equal(src.session?.response.headers.get('Session-Expires'), '1800;refresher=uac');
    await eventually(() => src.session?.dialog.state.state === 'confirmed', 'the session is up');
  });
});
