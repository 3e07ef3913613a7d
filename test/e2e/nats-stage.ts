// What tests against a real nats-server begin with.
import type { TestContext } from 'node:test';
import { type NatsOptions, type NatsPeer, startNats } from '@sidestream/peers';
import { Bus, createLogger } from '@sidestream/service';
import { Registry } from 'prom-client';

export const log = createLogger({ name: 'test', instance: '1', level: 'silent' });

/** A nats-server with JetStream; the test is skipped, aloud, where there is none. */
export async function nats(t: TestContext, options: NatsOptions = {}): Promise<NatsPeer | undefined> {
  const { peer, reason } = await startNats({ jetStream: true, ...options });
  if (!peer) t.skip(reason);
  else t.after(() => peer.stop());
  return peer;
}

/** A server of the test's own, with flags and a port of its choice: only a binary on this machine is that. */
export async function ownNats(t: TestContext, options: NatsOptions = {}): Promise<NatsPeer | undefined> {
  const peer = await nats(t, options);
  if (peer === undefined || peer.how === 'binary') return peer;
  t.skip(`needs a nats-server started here, not by ${peer.how}`);
  return undefined;
}

/** A bus that ends with the test. */
export function openBus(t: TestContext, servers: string[], more: object = {}): Bus {
  const bus = Bus.open({ nats: { servers, replicas: 1, ...more }, name: 'test', log, metrics: new Registry() });
  t.after(() => bus.close());
  return bus;
}
