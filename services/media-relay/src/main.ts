// Wiring of the media relay, and nothing else.
import { MediaRelayServiceService } from '@sidestream/proto/media/v1';
import {
  advertisedAddress,
  Bus,
  DeletionCost,
  GrpcServer,
  linkCertificates,
  measureCertificates,
  neighbourMetrics,
  type RunningService,
  runService,
  type ServiceContext,
  UnaryHandlers,
} from '@sidestream/service';
import { mediaRelayService } from './adapters/media-grpc.js';
import { NgClient } from './adapters/ng-client.js';
import { Presence } from './adapters/presence.js';
import { ngMetrics, relayMetrics } from './adapters/relay-metrics.js';
import { Rtpengine } from './adapters/rtpengine.js';
import { type RelayConfig, readRelayConfig } from './config.js';
import { ActivityMeter } from './domain/activity-meter.js';
import { EngineMonitor } from './domain/engine-monitor.js';
import { ForkMonitor } from './domain/fork-monitor.js';
import { Relay } from './domain/relay.js';
import { SilenceWatch } from './domain/silence-watch.js';

const grpcGraceMs = 1_000;
/** What signalling gets to end the calls whose sessions are still here when the drain is over. */
const farewellMs = 2_000;

async function start(context: ServiceContext<RelayConfig>): Promise<RunningService> {
  const { config, instance, log, metrics, health } = context;
  const client = new NgClient({ address: config.ng, observer: ngMetrics(metrics) });
  const engine = new Rtpengine(client, instance);
  const relay = new Relay({ engine, maxSessions: config.maxSessions, log });
  const forks = new ForkMonitor({
    engine,
    relay,
    log,
    intervalMs: config.forks.lookEvery,
    // Looks that are further apart than it is long are two, all the same.
    stalledAfterMs: Math.max(config.forks.stalledAfter, config.forks.lookEvery * 1.5),
    silentAfterMs: config.forks.recorderSilentAfter,
  });
  const gauges = relayMetrics(metrics, relay, forks);
  if (config.engineHttp !== undefined)
    context.management.serve('/metrics/rtpengine', neighbourMetrics(config.engineHttp, 'mediaRelay.rtpengine.http'));
  measureCertificates(context, linkCertificates(config.nats, config.grpcTls));
  health.set('rtpengine', false, `${engine.description} was not reached yet`);

  const watches = new AbortController();
  const server = new GrpcServer(config.grpcTls, { service: 'media-relay', log, metrics });
  const meter = new ActivityMeter({ engine, relay, stopping: watches.signal });
  server.add(
    MediaRelayServiceService,
    mediaRelayService(relay, forks, meter, new UnaryHandlers(log, metrics), watches.signal),
  );
  const address = advertisedAddress(config, await server.listen(config.listen));

  // NATS is no condition of being ready: calls find this relay by the configuration, too.
  const bus = Bus.open({ nats: config.nats, name: `relay.${instance}`, log, metrics });
  const { region, maxSessions: capacity } = config;
  const presence = new Presence({ bus, relay, id: instance, region, address, capacity, log, metrics });
  const cost = config.pod && new DeletionCost({ pod: config.pod, cost: () => relay.sessionCount, log });
  cost?.start();
  const monitor = new EngineMonitor({
    engine,
    relay,
    log,
    onChange: (problem) => {
      health.set('rtpengine', problem === undefined, problem);
      gauges.engineUp(problem === undefined);
      presence.engineChanged(problem);
      if (problem === undefined) log.info({ engine: engine.description }, 'rtpengine is there');
      else log.warn({ problem }, 'rtpengine is away');
    },
  });
  monitor.start();
  forks.start();
  const silence = new SilenceWatch({ engine, relay, timeoutMs: config.mediaTimeoutMs, log });
  if (config.mediaTimeoutMs > 0) silence.start();

  return {
    addresses: { grpc: address },
    stop: async () => {
      relay.drain();
      presence.refresh();
      await relay.whenEmpty(AbortSignal.timeout(config.drainMs));
      relay.announceStop();
      await relay.whenEmpty(AbortSignal.timeout(farewellMs));
      await relay.closeAll();
      await Promise.all([monitor.stop(), forks.stop(), silence.stop()]);
      // Ending a watch flushes what was written to it; the grace of the server is for that.
      watches.abort();
      await server.close(grpcGraceMs);
      await presence.close();
      await cost?.close();
      await bus.close();
      await client.close();
    },
  };
}

await runService({
  name: 'media-relay',
  readConfig: readRelayConfig,
  start,
  stopDeadlineMs: ({ drainMs }) => drainMs + 10_000,
});
