// signalling: calls and recordings. Wiring only.
import { CallsServiceService } from '@sidestream/proto/calls/v1';
import { EmergencyNumbers, TrunkTable } from '@sidestream/routing';
import {
  advertisedAddress,
  Bus,
  channelCredentials,
  DeletionCost,
  EventPublisher,
  GrpcServer,
  grpcClientSeconds,
  KvWriter,
  linkCertificates,
  measureCertificates,
  neighbourMetrics,
  runService,
  UnaryHandlers,
} from '@sidestream/service';
import { DigestLogin } from '@sidestream/sip';
import { recorderProfiles } from '@sidestream/siprec';
import { observeAdmission } from './adapters/admission-metrics.js';
import { AssuranceMetrics } from './adapters/assurance-metrics.js';
import { CallFeed } from './adapters/call-feed.js';
import { CallTraces } from './adapters/call-traces.js';
import { callsService, writeFacts } from './adapters/calls-grpc.js';
import { DrachtioTrunking } from './adapters/drachtio-trunking.js';
import { EventReporter } from './adapters/events.js';
import { KnownRelays } from './adapters/known-relays.js';
import { followRelays, keepLease } from './adapters/leases.js';
import { LoginMetrics } from './adapters/login-metrics.js';
import { MediaRelayClient } from './adapters/media-relay-client.js';
import { PolicyFiles } from './adapters/policy-file.js';
import { PolicyMetrics } from './adapters/policy-metrics.js';
import { ProcessLoadMeter } from './adapters/process-load.js';
import { ProviderPolicies } from './adapters/provider-policies.js';
import { RecordFiles } from './adapters/record-files.js';
import { RecordPublisher } from './adapters/record-publisher.js';
import { SipRecorderClient } from './adapters/recorder-client.js';
import { Registrations } from './adapters/registrations.js';
import { measureStates } from './adapters/state-metrics.js';
import { ToldParties } from './adapters/told-parties.js';
import { measureRegistrations, measureTargets } from './adapters/trunk-metrics.js';
import { copyEnvironment, readSignallingConfig } from './config.js';
import { CallAdmission } from './domain/admission.js';
import { CallControl, drained } from './domain/call-control.js';
import { CallDesk } from './domain/call-desk.js';
import { CallGuard } from './domain/call-guard.js';
import { CallLedger } from './domain/call-ledger.js';
import { CallRegistry } from './domain/call-registry.js';
import type { CallSession } from './domain/call-session.js';
import { CallerProof } from './domain/caller-proof.js';
import { EdgeWatch } from './domain/edge-watch.js';
import { Keepalive } from './domain/keepalive.js';
import { Overload } from './domain/overload.js';
import { PolicyTable } from './domain/policy-table.js';
import { usualTerms } from './domain/recording-terms.js';
import { TargetStates } from './domain/target-states.js';
import { TrunkRegistrations } from './domain/trunk-registrations.js';

/** What ending the calls and leaving NATS may take beyond the drain. */
const endDeadlineMs = 8_000;
const flushMs = 2_000;
const grpcGraceMs = 500;
/** Between two looks at whether live calls are recorded. */
const reconcileMs = 1_000;

await runService({
  name: 'signalling',
  readConfig: () => readSignallingConfig(),
  stopDeadlineMs: (config) => config.drainMs + endDeadlineMs + flushMs + 5_000,
  async start({ config, instance, log, metrics, health, management }) {
    const { tenants, edge, nats, grpc, drainMs } = config;
    copyEnvironment();
    if (config.edgeMetrics !== undefined)
      management.serve('/metrics/drachtio', neighbourMetrics(config.edgeMetrics, 'signalling.edgeMetrics'));
    const clock = () => performance.now();
    for (const { path, message } of config.warnings) log.warn({ key: path }, `${path} ${message}`);
    const bus = Bus.open({ nats, name: `signalling.${instance}`, log, metrics });
    const parties = new ToldParties(config.log.parties);
    const traces = new CallTraces(config.ownEdge, parties);
    const publisher = new EventPublisher(bus, { source: `signalling.${instance}`, log, metrics });
    const kv = new KvWriter(bus, { log });
    metrics.registerMetric(grpcClientSeconds);
    const identities = Object.entries(tenants).map(([name, { recording }]) => ({
      use: 'recording' as const,
      name,
      ...recording.identity,
    }));
    const edgeTls = config.edgeCertificate ? [{ use: 'edge' as const, ...config.edgeCertificate }] : [];
    measureCertificates({ metrics, log }, [...linkCertificates(nats, grpc.tls), ...edgeTls, ...identities]);
    const book = followRelays(bus, log);
    const known = new KnownRelays({ book, file: config.relaysFile, log });
    const relays = new MediaRelayClient({
      leases: () => known.values(),
      configured: config.relayAddresses,
      region: config.region,
      credentials: () => channelCredentials('media-relay', grpc.tls),
      log,
    });
    const policies: PolicyTable = new PolicyTable(tenants, (tenant, snapshot, loadMs) => {
      policyMetrics.swapped(tenant, loadMs);
      log.info({ tenant, revision: snapshot.revision, sellers: snapshot.size }, 'a policy is applied');
      checkHealth();
    });
    const policyMetrics = new PolicyMetrics(metrics, policies);
    const policyFiles = new PolicyFiles(config.policyFiles, policies, log);
    const providerPolicies = new ProviderPolicies(bus, {
      sources: config.providerPolicies,
      table: policies,
      directory: config.policyDirectory,
      log,
      metrics,
    });
    const registrations = new Registrations(bus, { log, metrics });
    const recorders = new SipRecorderClient(
      Object.fromEntries(
        Object.entries(tenants).map(([name, { recording, accountId = '', recorderPlaces, provider }]) => [
          name,
          {
            ...recording,
            trustFile: recording.trustFile,
            mayReplace: provider?.register ? registrations.gate(name) : undefined,
            profile: recorderProfiles[recording.profile],
            accountId,
            // A tenant that is not recorded needs no connections.
            recorders: recording.enabled ? recorderPlaces : [],
          },
        ]),
      ),
      { metrics, log },
    );
    const feed = new CallFeed(publisher);
    const recorded = Object.keys(tenants).filter((tenant) => tenants[tenant]?.enabled);
    const reporter = new EventReporter({
      publisher: feed,
      kv,
      metrics,
      log,
      parties,
      tenants: recorded,
      trunks: Object.keys(config.trunks),
    });
    const records = new RecordPublisher(bus, { retention: config.records, log, metrics });
    const recordFiles = config.recordFiles && new RecordFiles(config.recordFiles, { instance, log, metrics });
    const assurance = new AssuranceMetrics(metrics, recorded);
    const events = new CallLedger(reporter, {
      instance,
      write: writeFacts,
      onRefused: (refusal) => traces.refused(refusal),
      onArrived: (call) => traces.arrived(call),
      onRecord: (record) => {
        traces.ended(record);
        assurance.count(record);
        records.publish(record);
        recordFiles?.write(record);
      },
    });
    const reconciling = setInterval(() => events.reconcile(), reconcileMs);
    const registry = new CallRegistry<CallSession>(config.maxCalls);
    const overload = new Overload(config.maxLagMs);
    const load = new ProcessLoadMeter((reading) => overload.read(reading));
    const admission = new CallAdmission(registry, relays, policies, overload);
    const guard = new CallGuard(config.trunks, clock);
    observeAdmission(metrics, { guard, overload, maxCalls: config.maxCalls });
    measureStates(metrics, () => registry.all().map(({ view }) => view));
    const since = new Date().toISOString();
    const lease = keepLease(
      bus,
      instance,
      () => ({
        address: trunking.ownAddress('udp'),
        grpc: grpcAddress,
        calls: registry.size,
        capacity: config.maxCalls,
        draining: admission.draining,
        since,
      }),
      log,
    );
    const cost = config.pod && new DeletionCost({ pod: config.pod, cost: () => registry.size, log });
    const watch = new EdgeWatch((termination) => {
      void control.endAll(termination, AbortSignal.timeout(endDeadlineMs));
    });
    const trunking: DrachtioTrunking = new DrachtioTrunking({
      edge,
      secret: config.edgeSecret.reveal(),
      clock,
      log,
      loginOf: (trunk) => {
        const user = config.trunkSecrets.credentials.get(trunk);
        return user && new DigestLogin({ ...user, password: user.password.reveal() });
      },
      onInvite: (invite) => traces.take(invite, () => control.take(invite)),
      onOptions: (request) => control.options(request),
      onEdge: (up, detail) => {
        health.set('edge', up, detail);
        if (up) {
          watch.back();
          trunkRegistrations.wake();
        } else watch.lost(detail);
      },
    });
    const trunks = new TrunkTable(config.trunks, new EmergencyNumbers(config.emergencyNumbers));
    const targets = new TargetStates(clock);
    const keepalive = new Keepalive({ targets: trunks.targets, trunking, states: targets, log });
    measureTargets(metrics, trunks.targets, (target) => targets.isUp(target));
    const trunkRegistrations = new TrunkRegistrations({
      config: config.trunks,
      trunks,
      trunking,
      log,
      onState: ({ trunk, registered, detail }) =>
        health.note(`trunk ${trunk.name}`, registered ? `registered ${detail}` : `not registered: ${detail}`),
    });
    measureRegistrations(metrics, () => trunkRegistrations.states);
    const loginMetrics = new LoginMetrics(metrics);
    const control = new CallControl({
      callers: new CallerProof({
        trunks,
        registered: trunkRegistrations,
        config: config.trunks,
        logins: config.trunkSecrets.logins,
        clock,
        onProof: (trunk, outcome) => loginMetrics.proof(trunk, outcome),
      }),
      trunking,
      relays,
      events,
      clock,
      log,
      trunks,
      targets,
      policies,
      recorders,
      admission,
      guard,
      registry,
      recorderOf: (tenant) => ({
        profile: recorderProfiles[tenants[tenant]?.recording.profile ?? 'dynamics365'],
        accountId: tenants[tenant]?.accountId ?? '',
        callIdOnReestablish: tenants[tenant]?.recording.callIdOnReestablish ?? 'same',
      }),
      termsOf: (tenant) => config.recordingTerms[tenant] ?? usualTerms,
    });
    const desk = new CallDesk({
      registry,
      admission,
      newRecording: (call) => control.newRecording(call),
      recordersOf: (tenant) => (tenants[tenant]?.enabled === true ? tenants[tenant].recorders : []),
      onDrain: () => {
        health.set('drain', !admission.draining, 'no new calls');
        lease.refresh();
      },
    });
    const watches = new AbortController();
    const server = new GrpcServer(grpc.tls, { service: 'signalling', log, metrics });
    const handlers = new UnaryHandlers(log, metrics);
    server.add(
      CallsServiceService,
      callsService({
        desk,
        feed,
        handlers,
        instance,
        recorders: () => recorders.measured,
        regionOf: (tenant) => tenants[tenant]?.region ?? '',
        policies,
        missingOf: (call) => events.missing(call),
        activity: relays,
        shutdown: watches.signal,
      }),
    );
    const grpcAddress = advertisedAddress(config.callsGrpc, await server.listen(config.callsGrpc.listen));
    const checkHealth = () => {
      const missing = relays.unavailable();
      health.set('media relay', missing === undefined, missing?.text);
      // A tenant without a policy is refused alone; the others' calls come in.
      health.set('policy', policies.problem === undefined, policies.problem);
    };

    health.set('edge', false, `connecting to ${edge.host}:${edge.port}`);
    await Promise.all([policyFiles.start(), providerPolicies.start(), known.start()]);
    book.onRefresh(() => {
      relays.refresh();
      checkHealth();
    });
    book.start();
    registrations.start();
    relays.refresh();
    checkHealth();
    recorders.warm();
    // The SIP side answers from the first moment, with 503 while something is missing.
    trunking.connect();
    trunkRegistrations.start();
    lease.start();
    cost?.start();
    keepalive.start();

    return {
      addresses: { grpc: grpcAddress },
      isDraining: () => admission.draining,
      stop: async () => {
        admission.stop();
        keepalive.stop();
        lease.refresh();
        await registry.whenIdle(AbortSignal.timeout(drainMs));
        await control.endAll(drained(), AbortSignal.timeout(endDeadlineMs));
        watch.close();
        watches.abort();
        await server.close(grpcGraceMs);
        trunking.close();
        policyFiles.close();
        await providerPolicies.close(flushMs);
        await recorders.close();
        relays.close();
        await Promise.all([publisher.close(flushMs), records.close(flushMs), recordFiles?.close(flushMs)]);
        await kv.close(flushMs);
        book.stop();
        await known.whenKept();
        registrations.stop();
        await lease.stop();
        await cost?.close();
        clearInterval(reconciling);
        load.close();
        await bus.close();
      },
    };
  },
});
