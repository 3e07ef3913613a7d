// Wiring of the gateway, and nothing else.
import { setTimeout as delay } from 'node:timers/promises';
import { consoleFolder } from '@sidestream/console';
import { CallsServiceClient } from '@sidestream/proto/calls/v1';
import { PolicyServiceClient } from '@sidestream/proto/policy/v1';
import { RegistrationServiceClient } from '@sidestream/proto/registration/v1';
import {
  Bus,
  type CalledService,
  channelCredentials,
  grpcClientSeconds,
  LeaseBook,
  linkCertificates,
  measureCertificates,
  type RunningService,
  runService,
  type ServiceContext,
} from '@sidestream/service';
import { apiRoutes } from './adapters/api-routes.js';
import { ClientAddress } from './adapters/client-address.js';
import { Connections } from './adapters/connections.js';
import { Control } from './adapters/control.js';
import { DialerEndpoint } from './adapters/dialer-endpoint.js';
import { EventIntake } from './adapters/event-intake.js';
import type { EventStream } from './adapters/event-stream.js';
import { Gate } from './adapters/gate.js';
import { measureGateway } from './adapters/gateway-metrics.js';
import { Instances } from './adapters/instances.js';
import { lastRecords, recordOf } from './adapters/last-records.js';
import { LiveEvents } from './adapters/live-events.js';
import { type RelayLease, relayLease } from './adapters/relays.js';
import { RollCall } from './adapters/roll-call.js';
import { IssuerTokens } from './adapters/tokens.js';
import { webApp } from './adapters/web-app.js';
import { WebServer } from './adapters/web-server.js';
import { type GatewayConfig, readGatewayConfig } from './config.js';
import { DialerFold } from './domain/dialer-fold.js';
import { DialerLog } from './domain/dialer-log.js';
import { FairQueue } from './domain/fair-queue.js';
import { KnownCalls } from './domain/known-calls.js';

/** Each reads a stretch of a stream of up to some gigabytes; a page of the console reads now and then. */
const recordReads = { atOnce: 4, atOncePerUser: 2, waiting: 100, waitingPerUser: 8, waitMs: 10_000 };
const maxCalls = 200_000;
const maxSellers = 100_000;
const closeGraceMs = 3_000;

async function start(context: ServiceContext<GatewayConfig>): Promise<RunningService> {
  const { config, instance, log, metrics, health } = context;
  const { issuers, limits, origins, publicUrl, tls, console, trustedProxies, drainSeconds } = config.gateway;
  const { behindBytes, framesPerMinute, history: historyMs } = limits;
  const bus = Bus.open({ nats: config.nats, name: `gateway.${instance}`, log, metrics, health });
  metrics.registerMetric(grpcClientSeconds);
  measureCertificates(context, [
    ...linkCertificates(config.nats, config.grpcTls),
    ...(tls ? [{ use: 'gateway' as const, ...tls }] : []),
  ]);
  const tokens = new IssuerTokens(issuers, log);
  const dialerLog = new DialerLog({ eventsPerSeller: limits.eventsPerSeller, maxSellers });
  const fold = new DialerFold({ startWithinMs: limits.recordingStarts, maxCalls });
  const addresses = new ClientAddress(trustedProxies);
  const connections = new Connections(limits, addresses);
  const gate = new Gate({ tokens, origins, publicUrl, addresses, limits });
  const live = new LiveEvents();
  const dialerStreams = new Set<EventStream>();
  const known = new KnownCalls({ maxCalls });
  health.set('events', false, 'what has happened is being read');
  const intake = new EventIntake(bus, {
    fold,
    dialerLog,
    historyMs,
    onCaughtUp: () => health.set('events', true),
    onRestart: () => rollCall.recount(),
    known,
    onEvent: (event, tenant) => {
      if (event.body?.$case === 'callEnded') rollCall.found(event.body.value.callId);
      live.tell(event, tenant);
    },
    log,
  });
  const isReady = () => intake.caughtUp;
  const isCurrent = () => intake.current;
  measureGateway(metrics, { connections, fold, dialerLog });

  const found = { credentials: (service: CalledService) => channelCredentials(service, config.grpcTls), log };
  const signalling = new Instances(bus, {
    service: 'signalling',
    make: CallsServiceClient,
    isKept: (id) => known.of(id).length > 0,
    ...found,
  });
  const rollCall = new RollCall({
    signalling,
    known,
    isCurrent,
    onLost: ({ call, at }) => {
      intake.lose(call.callId, at);
      live.tellLost(call.callId, at, call.tenant);
    },
    onUnseen: ({ callId }, at) => intake.lose(callId, at),
    log,
  });
  const policySync = new Instances(bus, { service: 'policy-sync', make: PolicyServiceClient, ...found });
  const registration = new Instances(bus, { service: 'registration', make: RegistrationServiceClient, ...found });
  const services = [signalling, policySync, registration];
  const relays = new LeaseBook<RelayLease>(bus, { prefix: 'relay.', schema: relayLease, log });
  const reads = new FairQueue(recordReads);
  const routes = apiRoutes({
    control: new Control({ signalling, policySync, registration, known, rollCall }),
    relays: () => relays.current,
    records: (query, { tenant, seller }, signal) =>
      reads.run(`${tenant}/${seller}`, signal, () => lastRecords(bus, query, signal)),
    record: (callId, { tenant, seller }, signal) =>
      reads.run(`${tenant}/${seller}`, signal, () => recordOf(bus, tenant, callId, signal)),
    providers: config.providers,
  });
  const dialers = new DialerEndpoint({
    tokens,
    dialerLog,
    connections,
    framesPerMinute,
    behindBytes,
    isAllowed: (request) => gate.isAllowed(request),
    isReady,
    isCurrent,
    log,
  });
  const app = webApp({
    gate,
    routes,
    dialerLog,
    connections,
    live,
    dialerStreams,
    behindBytes,
    isReady,
    isCurrent,
    console,
    consoleFolder,
    log,
  });
  const server = new WebServer({
    tls,
    fetch: app.fetch as never,
    upgrade: (request, socket, head) => dialers.upgrade(request, socket, head),
  });
  const url = await server.listen(config.listen);
  for (const one of services) one.start();
  relays.start();
  intake.start();

  return {
    addresses: { http: url },
    stop: async () => {
      // Whoever still sends clients here has read by now that this instance is not ready.
      await delay(drainSeconds * 1_000);
      await dialers.close(closeGraceMs);
      live.end();
      for (const stream of dialerStreams) stream.end();
      await server.close(closeGraceMs);
      intake.stop();
      for (const one of services) one.close();
      relays.stop();
      await bus.close();
    },
  };
}

await runService({
  name: 'gateway',
  readConfig: readGatewayConfig,
  start,
  stopDeadlineMs: ({ gateway }) => gateway.drainSeconds * 1_000 + 10_000,
});
