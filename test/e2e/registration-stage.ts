// The stage of the registration's tests: a real nats-server, the provider simulator, and services as processes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ServiceProcess } from '@sidestream/cli';
import { eventually, type NatsPeer } from '@sidestream/peers';
import { type Authority, type CertificateRequest, createAuthority } from '@sidestream/pki';
import { Event } from '@sidestream/proto/events/v1';
import { type GetStatusResponse, RegistrationServiceClient } from '@sidestream/proto/registration/v1';
import { type Bus, callUnary, channelCredentials, type EventBody } from '@sidestream/service';
import { ProviderSimulator, parseProviderFault } from '@sidestream/simulators';
import { type RegistrationRecord, registrationRecordSchema } from '@sidestream/tenant-registration';
import { nats, openBus } from './nats-stage.js';

const entraTenantId = '5f0c8a3e-7a50-4c87-9d8e-3a0f4f0f7b11';
const clientId = '1b6f9f60-9c70-4a6c-8f0a-0d4f9d6a2c22';
export const secret = 'Zq8Q~a-secret/that+must=show&nowhere';
export const organizationId = 'ad3dca46-962a-4895-9f85-d25f3828781f';
export const accountId = 'AC0123';

export class RegistrationStage {
  readonly directory = mkdtempSync(join(tmpdir(), 'sidestream-registration-'));
  readonly configFile = join(this.directory, 'sidestream.yaml');
  /** All that the services logged. */
  log = '';
  readonly bus: Bus;
  readonly provider: ProviderSimulator;
  readonly #t: TestContext;
  readonly #authority: Authority;

  private constructor(t: TestContext, parts: { peer: NatsPeer; provider: ProviderSimulator; authority: Authority }) {
    this.#t = t;
    this.#authority = parts.authority;
    this.provider = parts.provider;
    this.bus = openBus(t, [parts.peer.url]);
    t.after(() => rmSync(this.directory, { recursive: true, force: true }));
    this.#writeConfig(parts.peer.url);
  }

  /** Undefined, with the test skipped, where there is no nats-server. */
  static async start(t: TestContext): Promise<RegistrationStage | undefined> {
    const peer = await nats(t);
    if (peer === undefined) return undefined;
    const authority = await createAuthority('Simulated CA');
    const server = await authority.issue({ commonName: 'provider', ipAddresses: ['127.0.0.1'], usages: 'server' });
    const directory = mkdtempSync(join(tmpdir(), 'sidestream-provider-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const tls = await server.writeFiles(directory);
    const provider = await ProviderSimulator.start({ tls, entraTenantId, app: { clientId, secret } });
    t.after(() => provider.close());
    const stage = new RegistrationStage(t, { peer, provider, authority });
    await stage.renew({});
    return stage;
  }

  /** Waits; what the services logged last is part of the error. */
  async until(what: string, predicate: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
    try {
      await eventually(predicate, what, ms);
    } catch (error) {
      throw new Error(`${String(error)}\n${this.log.slice(-4_000)}`, { cause: error });
    }
  }

  /** How the provider behaves from now on. */
  fault(text: string): void {
    this.provider.fault = parseProviderFault(text);
  }

  get requests(): number {
    return this.provider.requests.filter(({ place }) => place === 'tenants').length;
  }

  /** Gives the tenant another certificate, key and certificate each by rename. */
  async renew(more: Partial<CertificateRequest>, authority = this.#authority): Promise<void> {
    const made = await authority.issue({ commonName: 'sbc.contoso.example', usages: 'client', ...more });
    await made.writeFiles(this.directory, 'identity');
  }

  /** Gives our app another secret. */
  writeSecret(text: string): void {
    writeFileSync(join(this.directory, 'secret'), text, { mode: 0o600 });
  }

  /** Starts an instance; resolves once it serves gRPC and NATS is there. */
  async service(instance: string): Promise<RunningRegistration> {
    const process = new ServiceProcess({
      name: 'registration',
      environment: { SIDESTREAM_CONFIG: this.configFile, SIDESTREAM_INSTANCE: instance },
      onLog: (line) => {
        this.log += `${line}\n`;
      },
    });
    this.#t.after(() => process.stop(20_000));
    const { addresses } = await process.ready(20_000);
    return new RunningRegistration(this.#t, process, addresses['grpc'] ?? '', addresses['management'] ?? '');
  }

  /** What is kept of the tenant. */
  async record(): Promise<RegistrationRecord> {
    const session = await this.bus.whenConnected(AbortSignal.timeout(10_000));
    const entry = await session.bucket('registrations').get('contoso');
    return entry?.operation === 'PUT' ? registrationRecordSchema.parse(entry.json()) : {};
  }

  /** Every event so far. */
  async events(): Promise<EventBody[]> {
    const session = await this.bus.whenConnected(AbortSignal.timeout(10_000));
    const consumer = await session.jetstream.consumers.get('EVENTS');
    const { num_pending: pending } = await consumer.info();
    const bodies: EventBody[] = [];
    if (pending === 0) return bodies;
    for await (const message of await consumer.fetch({ max_messages: pending, expires: 1_000 })) {
      const { body } = Event.decode(message.data);
      if (body) bodies.push(body);
    }
    return bodies;
  }

  #writeConfig(natsUrl: string): void {
    const { origin } = this.provider;
    this.writeSecret(secret);
    writeFileSync(join(this.directory, 'provider-ca.crt'), this.#authority.certificate);
    writeFileSync(join(this.directory, 'policy.yaml'), 'sellers: []\n');
    const config = {
      nats: { servers: [natsUrl] },
      regions: { eastus: { recorders: ['eastus'] } },
      tenants: {
        contoso: {
          organizationId,
          accountId,
          region: 'eastus',
          recording: { identity: { certFile: 'identity.crt', keyFile: 'identity.key' } },
          policy: { source: 'file', file: 'policy.yaml' },
          provider: {
            ...{ entraTenantId, clientId, clientSecretFile: 'secret' },
            ...{ authority: origin, apiBaseUrl: origin, trustFile: 'provider-ca.crt' },
          },
        },
      },
      trunks: {},
      signalling: {},
      mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
    };
    writeFileSync(this.configFile, JSON.stringify(config));
  }
}

/** One instance, as a process. */
export class RunningRegistration {
  readonly process: ServiceProcess;
  readonly address: string;
  readonly client: RegistrationServiceClient;
  readonly #management: string;

  constructor(t: TestContext, process: ServiceProcess, address: string, management: string) {
    this.process = process;
    this.address = address;
    this.client = new RegistrationServiceClient(address, channelCredentials('registration'));
    this.#management = management;
    t.after(() => this.client.close());
  }

  status(): Promise<GetStatusResponse> {
    return callUnary(this.client.getStatus.bind(this.client), { tenant: '' }, { deadlineMs: 5_000 });
  }

  async state(): Promise<string | undefined> {
    return (await this.status()).tenants[0]?.state;
  }

  async metrics(): Promise<string> {
    const response = await fetch(`${this.#management}/metrics`, { signal: AbortSignal.timeout(5_000) });
    return await response.text();
  }
}
