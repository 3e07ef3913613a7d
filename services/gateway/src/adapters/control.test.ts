// On a real nats-server, with a real lease and a real gRPC server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startNats } from '@sidestream/peers';
import { Call, CallsServiceClient } from '@sidestream/proto/calls/v1';
import { Bus, channelCredentials, createLogger } from '@sidestream/service';
import { Registry } from 'prom-client';
import { signallingOf } from '../testing/signalling.js';
import { Control } from './control.js';
import { Instances } from './instances.js';

const log = createLogger({ name: 'gateway', instance: 'test', level: 'silent' });
const party = (number: number) => ({
  uri: `sip:+49${number}@carrier.example;user=phone`,
  name: 'Somebody with a Name',
});
const decision = { record: true, reason: 'listed', policyRevision: 'a'.repeat(64), recorders: ['eastus', 'westus'] };
const call = (number: number) =>
  Call.fromPartial({
    ...{ callId: `call-${number}`.padEnd(32, '0'), instance: 's1', tenant: 'contoso', trunk: 'carrier' },
    ...{ phase: 'talking', startedAt: new Date(), answeredAt: new Date(), seller: 's'.repeat(36), decision },
    ...{ calling: party(number), called: party(number) },
    recordings: [{ recordingId: 'r'.repeat(36), recorderCallId: 'c'.repeat(32), phase: 'active', recorder: 'eastus' }],
    voices: ['customer', 'seller'].map((one) => ({ party: one, packetsPerSecond: 50 })),
  });

test('an instance that has 10,000 calls is live, and all of them are told', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const bus = Bus.open({ nats: { servers: [peer.url], replicas: 1 }, name: 'test', log, metrics: new Registry() });
  t.after(() => bus.close());
  await bus.whenConnected(AbortSignal.timeout(20_000));
  const calls = Array.from({ length: 10_000 }, (_, number) => call(number));
  const bytes = calls.reduce((sum, one) => sum + Call.encode(one).finish().length, 0);
  assert.ok(bytes > 4 * 1024 * 1024, `${bytes} bytes are not more than a client takes by default`);
  await signallingOf(t, bus, () => calls);
  const credentials = () => channelCredentials('signalling');
  const signalling = new Instances(bus, { service: 'signalling', make: CallsServiceClient, credentials, log });
  t.after(() => signalling.close());
  signalling.start();
  await eventually(() => signalling.known.length === 1, 'it is found', 20_000);
  const nobody = {
    known: { of: () => [], call: () => undefined },
    rollCall: { gone: new Map(), lost: () => [], heard: () => true },
  };
  const control = new Control({ signalling, ...nobody } as Partial<ConstructorParameters<typeof Control>[0]> as never);
  const seen = await control.calls('contoso', false);
  assert.deepEqual(seen.instances, [{ instance: 's1', state: 'live', calls: 10_000 }]);
  assert.equal(seen.calls.at(-1)?.call.callId, calls.at(-1)?.callId);
  t.diagnostic(`${Math.round(bytes / 10_000)} bytes for each`);
});
