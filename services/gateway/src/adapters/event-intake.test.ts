// On a real nats-server that goes on without its stream: the connection to it stays.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually, startNats } from '@sidestream/peers';
import { Bus, createLogger, eventStream } from '@sidestream/service';
import { Registry } from 'prom-client';
import { DialerFold } from '../domain/dialer-fold.js';
import { DialerLog } from '../domain/dialer-log.js';
import { KnownCalls } from '../domain/known-calls.js';
import { EventIntake } from './event-intake.js';

const log = createLogger({ name: 'gateway', instance: 'test', level: 'silent' });

/** What has read all that happened. */
async function intakeOf(t: TestContext, url: string) {
  const bus = Bus.open({ nats: { servers: [url], replicas: 1 }, name: 'test', log, metrics: new Registry() });
  const intake = new EventIntake(bus, {
    fold: new DialerFold({ startWithinMs: 60_000, maxCalls: 10 }),
    dialerLog: new DialerLog({ eventsPerSeller: 10, maxSellers: 10 }),
    known: new KnownCalls({ maxCalls: 10 }),
    historyMs: 60_000,
    onCaughtUp: () => undefined,
    onRestart: () => assert.fail('it is the same stream'),
    onEvent: () => undefined,
    log,
  });
  intake.start();
  t.after(async () => {
    intake.stop();
    await bus.close();
  });
  await eventually(() => intake.current, 'the past is known', 20_000);
  return { bus, intake };
}

test('while a server hangs that is still connected to, what happened is not known, nor for 5 s afterwards', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const { bus, intake } = await intakeOf(t, peer.url);
  await peer.kill('SIGSTOP');
  await eventually(() => !intake.current, 'it is missed', 6_000);
  assert.ok(bus.connected);
  await peer.kill('SIGCONT');
  const backAtMs = performance.now();
  await eventually(() => intake.current, 'what was stored meanwhile has come', 20_000);
  assert.ok(performance.now() - backAtMs >= 4_500);
});

test('a stream without a leader has not told all, though its consumer is alive and a server of the cluster answers for it', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const { bus, intake } = await intakeOf(t, peer.url);
  const { jetstream } = await bus.whenConnected(AbortSignal.timeout(1_000));
  const manager = await jetstream.jetstreamManager(false);
  const info = { ...(await manager.streams.info(eventStream.name)), cluster: { name: 'c', replicas: [] } };
  const streams = { info: async () => info };
  const leaderless = t.mock.method(jetstream, 'jetstreamManager', async () => ({ streams }) as never);
  await eventually(() => !intake.current, 'it is missed', 10_000);
  assert.ok(bus.connected);
  leaderless.mock.restore();
  await eventually(() => intake.current, 'it has a leader again', 20_000);
});
