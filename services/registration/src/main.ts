// Wiring of the registration, and nothing else.
import { RegistrationServiceService } from '@sidestream/proto/registration/v1';
import {
  advertisedAddress,
  Bus,
  EventPublisher,
  GrpcServer,
  Leadership,
  LeaseKeeper,
  linkCertificates,
  measureCertificates,
  providerMetrics,
  type RunningService,
  runService,
  type ServiceContext,
  UnaryHandlers,
} from '@sidestream/service';
import { Announcer } from './adapters/announcer.js';
import { MaterialFiles } from './adapters/material-files.js';
import { ProviderApi } from './adapters/provider-api.js';
import { KvRecordStore } from './adapters/record-store.js';
import { registrationService } from './adapters/registration-grpc.js';
import { type RegistrationConfig, readRegistrationConfig } from './config.js';
import { Registrar } from './domain/registrar.js';
import { RegistrationDesk } from './domain/registration-desk.js';

const flushMs = 1_000;
const grpcGraceMs = 1_000;

async function start(context: ServiceContext<RegistrationConfig>): Promise<RunningService> {
  const { config, instance, log, metrics, health } = context;
  const name = `registration.${instance}`;
  // Without NATS there is no lease and no record, so nothing can be done.
  const bus = Bus.open({ nats: config.nats, name, log, metrics, health });
  const publisher = new EventPublisher(bus, { source: name, log, metrics });
  const announcements = new Announcer(publisher, metrics);
  measureCertificates(context, linkCertificates(config.nats, config.grpcTls));
  const materials = new MaterialFiles(config.tenants);
  const store = new KvRecordStore(bus);
  const provider = new ProviderApi(config.tenants, log, providerMetrics(metrics));
  const registrars = new Map(
    [...config.tenants].map(([tenant, { settings }]) => [
      tenant,
      new Registrar({ tenant, settings, instance, provider, store, materials, announcements, log }),
    ]),
  );
  const desk = new RegistrationDesk(registrars);

  const server = new GrpcServer(config.grpcTls, { service: 'registration', log, metrics });
  server.add(RegistrationServiceService, registrationService(desk, new UnaryHandlers(log, metrics), instance));
  const address = advertisedAddress(config, await server.listen(config.listen));
  const lease = new LeaseKeeper(bus, { key: name, value: () => ({ address, active: desk.active }), log });
  const leadership = new Leadership(bus, {
    name: 'registration',
    holder: instance,
    work: async (signal) => {
      signal.addEventListener('abort', () => lease.refresh(), { once: true });
      const working = desk.work(signal);
      lease.refresh();
      await working;
      announcements.forget();
    },
    log,
    metrics,
  });
  materials.watch((tenant) => registrars.get(tenant)?.changed());
  lease.start();
  leadership.start();

  return {
    addresses: { grpc: address },
    stop: async () => {
      materials.close();
      await leadership.stop();
      await server.close(grpcGraceMs);
      await lease.stop();
      await publisher.close(flushMs);
      await bus.close();
    },
  };
}

await runService({
  name: 'registration',
  readConfig: readRegistrationConfig,
  start,
  stopDeadlineMs: () => 20_000,
});
