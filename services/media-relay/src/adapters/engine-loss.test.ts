// What the relay notices when the real engine dies, is absent, or drops a session.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  freeUdpPort,
  type RtpenginePeer,
  reasonToSkip,
  requirePeer,
  startRtpengine,
} from '@sidestream/peers';
import { EngineMonitor } from '../domain/engine-monitor.js';
import { type LostSession, Relay } from '../domain/relay.js';
import { audioSdp } from '../testing/audio-sdp.js';
import { TestCall } from '../testing/call.js';
import { soon } from '../testing/soon.js';
import { NgClient } from './ng-client.js';
import { Rtpengine } from './rtpengine.js';

const log = { info: () => undefined, warn: () => undefined };
const intervalMs = 20;
const sweepEveryMs = 50;
const skip = await reasonToSkip([startRtpengine], { killable: true });

describe('loss of the real rtpengine', { skip }, () => {
  let port: number;
  let client: NgClient;
  let engine: Rtpengine;
  let relay: Relay;
  let monitor: EngineMonitor;
  let process: RtpenginePeer | undefined;
  const lost: LostSession[] = [];
  const changes: (string | undefined)[] = [];
  const calls: TestCall[] = [];

  before(async () => {
    port = await freeUdpPort();
    client = new NgClient({ address: { host: '127.0.0.1', port } });
    engine = new Rtpengine(client, 'loss');
    relay = new Relay({ engine, maxSessions: 10, log });
    relay.onLost((one) => lost.push(one));
    const onChange = (problem: string | undefined) => changes.push(problem);
    monitor = new EngineMonitor({ engine, relay, log, onChange, intervalMs, sweepEveryMs, orphanGraceMs: 0 });
    monitor.start();
  });
  after(async () => {
    for (const call of calls) call.close();
    await monitor.stop();
    await client.close();
    await process?.stop();
  });

  // One story, in its order: each step needs the engine as the one before left it.
  test('absent, there, dropping a session, killed, back with orphans, restarted in a blink', async (story) => {
    await story.test('absent: an open fails at once and names rtpengine and its address', async () => {
      await eventually(() => changes.length === 1, 'it is missed');
      assert.equal(changes[0], `nothing listens at rtpengine at 127.0.0.1:${port}`);
      const startedAt = performance.now();
      await assert.rejects(relay.openSession('0', 'customer', audioSdp, soon()), {
        code: 'media-engine-unavailable',
        message: new RegExp(`rtpengine at 127\\.0\\.0\\.1:${port}`),
      });
      assert.ok(performance.now() - startedAt < 100);
    });

    await story.test('there: it is told, and calls work', async () => {
      process = requirePeer(await startRtpengine({ port }));
      await eventually(() => changes.length === 2, 'it is there');
      calls.push(await TestCall.connect(relay, 'dropped'), await TestCall.connect(relay, 'killed'));
    });

    await story.test('a session that vanished in the engine is lost', async () => {
      await engine.close('dropped', soon());
      await eventually(() => lost.length === 1, 'it is lost');
      assert.deepEqual(lost.splice(0), [{ session: 'dropped', reason: 'engine-dropped' }]);
    });

    await story.test('killed: what it carried is lost', async () => {
      await process?.kill('SIGKILL');
      await process?.stop();
      await eventually(() => lost.length === 1, 'it is lost');
      assert.deepEqual(lost.splice(0), [{ session: 'killed', reason: 'engine-gone' }]);
      assert.match(changes.at(-1) ?? '', /nothing listens/);
    });

    await story.test('back: what nobody owns is ended, of this relay only', async () => {
      process = requirePeer(await startRtpengine({ port }));
      const sdp = calls[0]?.customer.sdp('0') ?? '';
      await engine.offer('orphan', 'customer', sdp, { answered: false, srtp: 'off', transcode: [] }, soon());
      const stranger = new Rtpengine(client, 'another');
      await stranger.offer('not ours', 'customer', sdp, { answered: false, srtp: 'off', transcode: [] }, soon());
      await eventually(async () => !(await engine.holds('orphan', soon())), 'it is ended');
      assert.ok(await stranger.holds('not ours', soon()));
    });

    await story.test('restarted in a blink: a re-INVITE finds out and makes no half session', async () => {
      await monitor.stop();
      const call = await TestCall.connect(relay, 'blink');
      calls.push(call);
      await process?.kill('SIGKILL');
      await process?.stop();
      process = requirePeer(await startRtpengine({ port }));
      await assert.rejects(relay.updateSession('blink', 'customer', call.customer.sdp('0'), soon()), {
        code: 'not-found',
      });
      assert.deepEqual(lost, [{ session: 'blink', reason: 'engine-dropped' }]);
      assert.deepEqual((await engine.list(soon())).sessions, []);
    });
  });
});
