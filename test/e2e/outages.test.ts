// What is around Sidestream is away: callers get a clear answer, calls that are up stay up.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually, freeTcpPort } from '@sidestream/peers';
import type { TracedMessage } from '@sidestream/simulators';
import { Stage } from './stage.js';

/** Calls and expects 503; returns the text that says why. */
async function refusal(stage: Stage, seen: TracedMessage[]): Promise<string> {
  const call = await stage.customer.call(stage.uri('+493012345001'), { answerTimeoutMs: 10_000 });
  const end = await call.ended;
  assert.equal(end.status, 503, JSON.stringify(end));
  const response = seen.findLast(({ message }) => message.kind === 'response' && message.status === 503)?.message;
  assert.ok(response);
  assert.ok(response.headers.get('Retry-After'));
  return response.headers.get('Warning') ?? '';
}

describe('while something is away', () => {
  test('rtpengine absent: calls get 503 with a reason that names it', async (t) => {
    const seen: TracedMessage[] = [];
    const stage = await Stage.start(t, {
      rtpengine: false,
      readyTimeoutMs: 0,
      customer: { onMessage: (traced) => seen.push(traced) },
    });
    if (!stage) return;
    await eventually(
      () => stage.laboratory.deployment.status.waitingFor.some((what) => what.includes('rtpengine')),
      'the deployment says what is missing',
    );
    // Until signalling has read the relay's lease the reason is that there is no relay at all.
    await eventually(async () => /rtpengine/.test(await refusal(stage, seen)), 'the reason names rtpengine');
    await stage.nothingIsLeft();
  });

  test('NATS absent at start and no relays in the configuration: not ready, calls get 503', async (t) => {
    const seen: TracedMessage[] = [];
    const stage = await Stage.start(t, {
      nats: false,
      readyTimeoutMs: 0,
      customer: { onMessage: (traced) => seen.push(traced) },
    });
    if (!stage) return;
    await eventually(
      () => stage.laboratory.deployment.status.waitingFor.some((what) => /signalling: .*(nats|relay)/i.test(what)),
      'the deployment says what is missing',
    );
    // Until signalling has connected, the edge answers for it.
    await eventually(async () => /nats|relay/i.test(await refusal(stage, seen)), 'the reason names what is missing');
    await stage.nothingIsLeft();
  });

  test('NATS absent at start, relays in the configuration: ready, calls connect and are recorded', async (t) => {
    const address = `127.0.0.1:${await freeTcpPort('127.0.0.1')}`;
    const stage = await Stage.start(t, {
      nats: false,
      configure: (config) => {
        config.relays = [{ address }];
        config.mediaRelay.listen = address;
      },
    });
    if (!stage) return;
    const call = await stage.inbound();
    await eventually(() => stage.laboratory.recorder.sessions.length === 1, 'the recorder has a session');
    await stage.talk(call, 50);
    await call.customer.hangUp();
    await call.seller.ended;
    await stage.nothingIsLeft();
  });

  test('nats-server dying: the call that is up goes on, new calls connect and are recorded', async (t) => {
    const stage = await Stage.start(t);
    if (!stage) return;
    const { laboratory } = stage;
    const before = await stage.inbound();
    await laboratory.nats.kill('SIGKILL');
    await stage.talk(before, 50);
    const after = await stage.outbound();
    await eventually(() => laboratory.recorder.sessions.length === 2, 'the recorder has both sessions');
    await stage.talk(after, 100);
    for (const call of [before, after]) {
      assert.equal(call.customer.statistics.lost, 0);
      assert.equal(call.seller.statistics.lost, 0);
    }
    await before.customer.hangUp();
    await after.seller.hangUp();
    await Promise.all([before.seller.ended, after.customer.ended]);
    await stage.nothingIsLeft();
  });

  test('rtpengine dying: its calls end with the reason, and nothing is left of them', async (t) => {
    const stage = await Stage.start(t);
    if (!stage) return;
    const { laboratory } = stage;
    const call = await stage.inbound();
    await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
    await laboratory.rtpengine.kill('SIGKILL');
    await Promise.all([call.customer.ended, call.seller.ended]);
    await eventually(() => laboratory.bodies('callEnded').length === 1, 'the call has ended');
    assert.equal(laboratory.bodies('callEnded')[0]?.termination?.reason, 'media-lost');
    await eventually(
      async () => (await laboratory.metric('signalling', 'sidestream_recordings_active')) === 0,
      'no recording',
    );
    await eventually(() => laboratory.recorder.active === 0, 'the recorder has no session left');
  });
});
