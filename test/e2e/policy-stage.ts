// The stage of the tests of policy-sync: real processes, a real nats-server, and a provider for every tenant that does as it is told.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ServiceProcess } from '@sidestream/cli';
import { eventually, type NatsPeer } from '@sidestream/peers';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { Event } from '@sidestream/proto/events/v1';
import {
  type ExplainResponse,
  type GetStatusResponse,
  PolicyServiceClient,
  type TenantPolicy,
} from '@sidestream/proto/policy/v1';
import { type Bus, callUnary, channelCredentials } from '@sidestream/service';
import { ProviderSimulator } from '@sidestream/simulators';
import { openBus, ownNats } from './nats-stage.js';
import { type CliRun, runCli } from './run-cli.js';

export const secret = 'Zq8Q~a-secret/that+must=show&nowhere';
const entraTenantId = '5f0c8a3e-7a50-4c87-9d8e-3a0f4f0f7b11';
const clientId = '1b6f9f60-9c70-4a6c-8f0a-0d4f9d6a2c22';
const deadlineMs = 20_000;

export const ada = {
  aadObjectId: 'u-ada',
  userPrincipalName: 'ada@contoso.example',
  displayName: 'Ada Berger',
  businessPhones: ['+49 30 901820'],
};
export const bob = { aadObjectId: 'u-bob', userPrincipalName: 'bob@contoso.example', mobilePhone: '+49 151 12345678' };

export type Pointer = Readonly<Record<string, unknown>> & { readonly revision: string; readonly users: number };
export type EventBody = NonNullable<Event['body']>;

export class PolicyStage {
  readonly directory: string;
  readonly bus: Bus;
  readonly providers = new Map<string, ProviderSimulator>();
  /** Everything that the processes and commands printed. */
  readonly output: string[] = [];
  nats: NatsPeer;
  readonly #t: TestContext;

  private constructor(t: TestContext, nats: NatsPeer, directory: string, config: object) {
    this.#t = t;
    this.nats = nats;
    this.directory = directory;
    this.bus = openBus(t, [nats.url]);
    writeFileSync(this.configFile, JSON.stringify(config));
  }

  /**
   * @param tenants the policy of each, besides `source` and a poll interval of a second
   * @returns undefined, with the test skipped, where no nats-server can be started
   */
  static async open(
    t: TestContext,
    tenants: Readonly<Record<string, object>> = { contoso: {} },
    provider: Partial<Parameters<typeof ProviderSimulator.start>[0]> = {},
  ): Promise<PolicyStage | undefined> {
    const directory = mkdtempSync(join(tmpdir(), 'policy-stage-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const nats = await ownNats(t, { storeDirectory: join(directory, 'nats') });
    if (nats === undefined) return undefined;
    const folder = await CredentialFolder.create();
    t.after(() => folder.remove());
    const authority = await createAuthority('Policy stage CA');
    const server = await authority.issue({ commonName: 'provider', ipAddresses: ['127.0.0.1'], usages: 'server' });
    const tls = await folder.write(server, 'provider');
    writeFileSync(join(directory, 'secret'), secret);
    const providers = new Map<string, ProviderSimulator>();
    for (const name of Object.keys(tenants)) {
      const simulator = await ProviderSimulator.start({
        ...{ tls, entraTenantId, app: { clientId, secret }, users: [ada, bob] },
        // Shorter than what a client keeps: each request of users brings one of a token, and Entra's faults are seen.
        tokenLifetimeS: 60,
        ...provider,
      });
      t.after(() => simulator.close());
      providers.set(name, simulator);
    }
    const identity = { certFile: tls.certFile, keyFile: tls.keyFile };
    const stage = new PolicyStage(t, nats, directory, {
      nats: { servers: [nats.url] },
      regions: { eastus: { recorders: ['eastus'] } },
      tenants: Object.fromEntries(
        Object.entries(tenants).map(([name, policy]) => {
          const origin = providers.get(name)?.origin;
          const access = { entraTenantId, clientId, clientSecretFile: 'secret', trustFile: tls.trustFile };
          return [
            name,
            {
              ...{ accountId: 'AC0123', region: 'eastus', recording: { identity } },
              policy: { source: 'provider', pollInterval: '1s', ...policy },
              provider: { ...access, authority: origin, apiBaseUrl: origin, register: false },
            },
          ];
        }),
      ),
      trunks: {},
      signalling: {},
      mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
      log: { level: 'debug' },
    });
    for (const [name, simulator] of providers) stage.providers.set(name, simulator);
    return stage;
  }

  get configFile(): string {
    return join(this.directory, 'sidestream.yaml');
  }

  provider(tenant = 'contoso'): ProviderSimulator {
    const simulator = this.providers.get(tenant);
    if (simulator === undefined) throw new Error(`no provider of ${tenant}`);
    return simulator;
  }

  /** Starts an instance of policy-sync, which ends with the test. */
  async start(instance: string): Promise<PolicyInstance> {
    const service = new ServiceProcess({
      name: 'policy-sync',
      environment: { SIDESTREAM_CONFIG: this.configFile, SIDESTREAM_INSTANCE: instance },
      onLog: (line) => this.output.push(line),
    });
    this.#t.after(() => service.stop(10_000));
    const { addresses } = await service.ready(deadlineMs);
    const client = new PolicyServiceClient(addresses['grpc'] ?? '', channelCredentials('policy-sync'));
    this.#t.after(() => client.close());
    return new PolicyInstance(service, client, addresses);
  }

  /** Runs `sidestream policy …` on the stage's configuration. */
  async cli(...args: string[]): Promise<CliRun> {
    const run = await runCli(['policy', ...args, '-c', this.configFile], { timeoutMs: deadlineMs });
    this.output.push(run.stdout, run.stderr);
    return run;
  }

  async pointer(tenant = 'contoso'): Promise<Pointer | undefined> {
    const entry = await this.bus.session?.bucket('policies').get(tenant);
    return entry?.operation === 'PUT' ? entry.json<Pointer>() : undefined;
  }

  /** Resolves with the pointer once it is as wanted. */
  async pointerWhere(
    what: string,
    isWanted: (pointer: Pointer) => boolean,
    { tenant = 'contoso', timeoutMs = deadlineMs } = {},
  ): Promise<Pointer> {
    let found: Pointer | undefined;
    await eventually(
      async () => {
        found = await this.pointer(tenant);
        return found !== undefined && isWanted(found);
      },
      `${what}\n${this.output.slice(-20).join('\n')}`,
      timeoutMs,
    );
    return found as Pointer;
  }

  /** Every event so far. */
  async events(): Promise<EventBody[]> {
    const consumer = await this.bus.session?.jetstream.consumers.get('EVENTS');
    const { num_pending: pending = 0 } = (await consumer?.info()) ?? {};
    if (consumer === undefined || pending === 0) return [];
    const bodies: EventBody[] = [];
    for await (const message of await consumer.fetch({ max_messages: pending, expires: 1_000 })) {
      const { body } = Event.decode(message.data);
      if (body) bodies.push(body);
    }
    return bodies;
  }

  /** Starts nats-server again where it was, with what it kept. */
  async startNats(): Promise<void> {
    const after = await ownNats(this.#t, { storeDirectory: join(this.directory, 'nats'), port: this.nats.port });
    if (after === undefined) throw new Error('no nats-server a second time');
    this.nats = after;
  }
}

export class PolicyInstance {
  readonly service: ServiceProcess;
  readonly addresses: Readonly<Record<string, string>>;
  readonly client: PolicyServiceClient;

  constructor(service: ServiceProcess, client: PolicyServiceClient, addresses: Readonly<Record<string, string>>) {
    this.service = service;
    this.client = client;
    this.addresses = addresses;
  }

  status(tenant = ''): Promise<GetStatusResponse> {
    return callUnary(this.client.getStatus.bind(this.client), { tenant }, { deadlineMs });
  }

  async tenant(tenant = 'contoso'): Promise<TenantPolicy> {
    const { tenants } = await this.status(tenant);
    const [only] = tenants;
    if (only === undefined) throw new Error(`no status of ${tenant}`);
    return only;
  }

  explain(party: string, { tenant = 'contoso', other = '' } = {}): Promise<ExplainResponse> {
    return callUnary(this.client.explain.bind(this.client), { tenant, party, other }, { deadlineMs });
  }

  users({ tenant = 'contoso', pageSize = 0, pageToken = '' }) {
    const request = { tenant, pageSize, pageToken };
    return callUnary(this.client.listUsers.bind(this.client), request, { deadlineMs });
  }

  syncNow(tenant = 'contoso') {
    return callUnary(this.client.syncNow.bind(this.client), { tenant }, { deadlineMs });
  }

  async metrics(): Promise<string> {
    const response = await fetch(`${this.addresses['management']}/metrics`, { signal: AbortSignal.timeout(5_000) });
    return await response.text();
  }
}
