// On a real nats-server, with a real lease and a real gRPC server.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually, startNats } from '@sidestream/peers';
import { Call, CallsServiceClient } from '@sidestream/proto/calls/v1';
import { Bus, channelCredentials, createLogger, EventPublisher, eventStream } from '@sidestream/service';
import { Registry } from 'prom-client';
import type { Told } from '../domain/dialer-event.js';
import { DialerFold } from '../domain/dialer-fold.js';
import { DialerLog } from '../domain/dialer-log.js';
import { KnownCalls } from '../domain/known-calls.js';
import { signallingOf } from '../testing/signalling.js';
import { answered, ended, recorded, started } from '../testing/stream.js';
import { EventIntake } from './event-intake.js';
import { Instances } from './instances.js';
import { RollCall } from './roll-call.js';

const log = createLogger({ name: 'gateway', instance: 'test', level: 'silent' });
const ada = { tenant: 'contoso', seller: 'ada' };

/** What the gateway knows of calls and tells Ada of them. */
function gatewayOf(t: TestContext, bus: Bus) {
  const known = new KnownCalls({ maxCalls: 10 });
  const dialerLog = new DialerLog({ eventsPerSeller: 10, maxSellers: 10 });
  const heard: Told[] = [];
  dialerLog.listen(ada, (told) => heard.push(told));
  const intake = new EventIntake(bus, {
    fold: new DialerFold({ startWithinMs: 60_000, maxCalls: 10 }),
    dialerLog,
    known,
    historyMs: 60_000,
    onCaughtUp: () => undefined,
    onRestart: () => rollCall.recount(),
    onEvent: () => undefined,
    log,
  });
  const credentials = () => channelCredentials('signalling');
  const signalling = new Instances(bus, { service: 'signalling', make: CallsServiceClient, credentials, log });
  const rollCall = new RollCall({
    signalling,
    known,
    isCurrent: () => intake.current,
    onLost: ({ call }) => assert.fail(`${call.callId} is lost`),
    onUnseen: ({ callId }, at) => intake.lose(callId, at),
    log,
    graceMs: 300,
  });
  signalling.start();
  intake.start();
  t.after(() => {
    intake.stop();
    signalling.close();
  });
  return { intake, known, dialerLog, heard };
}

test('a call whose end was lost with the stream is over once its instance lists it no more; others go on, and end as ever', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const bus = Bus.open({ nats: { servers: [peer.url], replicas: 1 }, name: 'test', log, metrics: new Registry() });
  t.after(() => bus.close());
  const session = await bus.whenConnected(AbortSignal.timeout(20_000));
  const live = new Set(['c1', 'c2']);
  await signallingOf(t, bus, () => [...live].map((callId) => Call.fromPartial({ callId, tenant: 'contoso' })));
  const { intake, known, dialerLog, heard } = gatewayOf(t, bus);
  await eventually(() => intake.current, 'the past is known', 20_000);
  const publisher = new EventPublisher(bus, { source: 'signalling.s1', log, metrics: new Registry() });
  t.after(() => publisher.close(1_000));
  for (const callId of live)
    for (const body of [started('ada', callId), answered('ada', true, callId), recorded(`r-${callId}`, callId)])
      publisher.publish(body);
  await eventually(() => heard.length === 2, 'both are told', 20_000);

  const { streams } = await session.jetstream.jetstreamManager();
  const { config } = await streams.info(eventStream.name);
  await streams.delete(eventStream.name);
  live.delete('c1');
  await streams.add(config);
  await eventually(() => heard.length === 3, 'the end is told that nobody has told', 30_000);
  assert.deepEqual(
    known.of('s1').map(({ callId }) => callId),
    ['c2'],
  );
  publisher.publish(ended(undefined, 'c2'));
  await eventually(() => heard.length === 4, 'the other one ends', 20_000);
  const words = heard.map(({ id, event, payload }) => [
    ...[id, event, payload.callId],
    ...('callTerminationReason' in payload ? [payload.callTerminationReason] : []),
  ]);
  assert.deepEqual(words.slice(2), [
    ['0', 'WIDGET_CALL_ENDED', 'r-c1', 'error'],
    ['1', 'WIDGET_CALL_ENDED', 'r-c2', 'success'],
  ]);
  assert.deepEqual(known.of('s1'), []);
  // Whoever was away meanwhile hears both.
  assert.deepEqual(dialerLog.after(ada, '0'), { missed: heard.slice(2) });
});
