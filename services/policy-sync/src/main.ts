// Wiring of policy-sync, and nothing else.
import { PolicyServiceService } from '@sidestream/proto/policy/v1';
import {
  advertisedAddress,
  Bus,
  EventPublisher,
  GrpcServer,
  linkCertificates,
  measureCertificates,
  pause,
  providerMetrics,
  type RunningService,
  runService,
  type ServiceContext,
  UnaryHandlers,
} from '@sidestream/service';
import { PolicyAnnouncements, policyGauges } from './adapters/announcements.js';
import { FetchThread } from './adapters/fetch-thread.js';
import { watchIdentities } from './adapters/identities-watch.js';
import { NatsPolicyStore } from './adapters/nats-policy-store.js';
import { policyService } from './adapters/policy-grpc.js';
import { PolicyReader } from './adapters/policy-reader.js';
import { Presence } from './adapters/presence.js';
import { type PolicySyncConfig, readPolicySyncConfig } from './config.js';
import { PolicySync } from './domain/policy-sync.js';

const grpcGraceMs = 1_000;
const flushMs = 1_000;

async function start(context: ServiceContext<PolicySyncConfig>): Promise<RunningService> {
  const { config, instance, log, metrics, health } = context;
  const { nats, tenants } = config;
  const bus = Bus.open({ nats, name: `policy-sync.${instance}`, log, metrics, health });
  const events = new EventPublisher(bus, { source: `policy-sync.${instance}`, log, metrics });
  const store = new NatsPolicyStore(bus);
  const source = new FetchThread({ tenants }, log, providerMetrics(metrics));
  const rules = new Map(tenants.map(({ tenant, policy }) => [tenant, policy.stale]));
  const sync = new PolicySync({
    tenants: tenants.map(({ tenant, policy }) => ({ tenant, pace: policy })),
    source,
    store,
    announce: new PolicyAnnouncements({ events, log, metrics, rules }),
    clock: { now: Date.now, until: (time, signal) => pause(Math.max(0, time - Date.now()), signal) },
  });
  measureCertificates(context, linkCertificates(nats, config.grpcTls));
  policyGauges(metrics, sync, [...rules.keys()]);
  const stopWatching = watchIdentities(tenants, (tenant) => sync.wake(tenant));

  const server = new GrpcServer(config.grpcTls, { service: 'policy-sync', log, metrics });
  const reader = new PolicyReader(bus, store);
  const handlers = new UnaryHandlers(log, metrics);
  server.add(PolicyServiceService, policyService({ instance, tenants, sync, reader, handlers }));
  const address = advertisedAddress(config, await server.listen(config.listen));
  const presence = new Presence({ bus, sync, id: instance, address, log, metrics });
  presence.start();

  return {
    addresses: { grpc: address },
    stop: async () => {
      stopWatching();
      await presence.stop();
      await server.close(grpcGraceMs);
      await source.close();
      await events.close(flushMs);
      await bus.close();
    },
  };
}

await runService({ name: 'policy-sync', readConfig: readPolicySyncConfig, start, stopDeadlineMs: () => 15_000 });
