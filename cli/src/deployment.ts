// A whole deployment on one machine: the embedded edge if the config asks for it, a media relay, a signalling instance, and where
// a tenant is known to a provider what registers it and fetches its policy.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, type SidestreamConfig } from '@sidestream/service';
import { serviceEnvironment } from './config.js';
import { ServiceProcess } from './supervisor.js';

const startDeadlineMs = 20_000;
/** Beyond what a service itself takes for its own deadline. */
const stopGraceMs = 5_000;

export interface DeploymentStatus {
  readonly ready: boolean;
  /** `sip-edge.sip.udp`, `media-relay.grpc`, `signalling.management` … */
  readonly addresses: Record<string, string>;
  readonly waitingFor: readonly string[];
}

export interface DeploymentOptions {
  /** Path of sidestream.yaml; read and checked before any process is started. */
  readonly configFile: string;
  readonly onLog: (line: string) => void;
  /** Every change of the whole's status. */
  readonly onStatus?: (status: DeploymentStatus) => void;
  /** A service ended by itself: the deployment can't go on. */
  readonly onFailure?: (what: string) => void;
}

/** The services that the tenants' providers make necessary. */
function controlPlane({ tenants }: SidestreamConfig): string[] {
  const all = Object.values(tenants);
  return [
    ...(all.some(({ provider }) => provider?.register === true) ? ['registration'] : []),
    ...(all.some(({ policy }) => policy.source === 'provider') ? ['policy-sync'] : []),
  ];
}

/** The processes of one deployment; `stop()` ends them all. */
export class Deployment {
  readonly services = new Map<string, ServiceProcess>();
  readonly #options: DeploymentOptions;
  readonly #runDirectory = mkdtempSync(join(tmpdir(), 'sidestream-'));
  readonly #drainMs: number;
  readonly #environment: Record<string, string>;
  #stopping = false;
  /** Every service was started: those that are ready may be all there are. */
  #complete = false;

  private constructor(options: DeploymentOptions, drainMs: number) {
    this.#options = options;
    this.#drainMs = drainMs;
    this.#environment = { SIDESTREAM_CONFIG: options.configFile };
  }

  /**
   * Starts the services; resolves once every process listens, ready or not (`onStatus` tells when it is).
   *
   * @throws ConfigError for a wrong configuration; Error if a process does not come up.
   */
  static async start(options: DeploymentOptions): Promise<Deployment> {
    const config = readConfig(options.configFile);
    const deployment = new Deployment(options, config.signalling.drainSeconds * 1_000);
    try {
      const environment = deployment.#environment;
      if (config.signalling.edge === 'embedded') {
        environment['SIDESTREAM_EDGE_SECRET_FILE'] = deployment.#writeSecret();
        const edge = await deployment.#spawn('sip-edge', environment).listening(startDeadlineMs);
        environment['SIDESTREAM_EDGE'] = edge.addresses['admin'] ?? '';
      } else {
        environment['SIDESTREAM_EDGE'] = config.signalling.edge;
        if (config.signalling.edgeSecretFile) {
          environment['SIDESTREAM_EDGE_SECRET_FILE'] = config.signalling.edgeSecretFile;
        }
      }
      const gateway = config.gateway === undefined ? [] : ['gateway'];
      for (const name of ['media-relay', ...controlPlane(config), 'signalling', ...gateway]) {
        await deployment.#spawn(name, environment).listening(startDeadlineMs);
      }
      deployment.#complete = true;
      deployment.#tell();
    } catch (error) {
      await deployment.stop();
      throw error;
    }
    return deployment;
  }

  get status(): DeploymentStatus {
    const statuses = [...this.services].map(([name, { status }]) => ({ name, status }));
    return {
      ready: this.#complete && statuses.every(({ status }) => status?.ready === true),
      addresses: Object.fromEntries(
        statuses.flatMap(({ name, status }) =>
          Object.entries(status?.addresses ?? {}).map(([key, value]) => [`${name}.${key}`, value]),
        ),
      ),
      waitingFor: statuses.flatMap(({ name, status }) =>
        status?.ready ? [] : (status?.waitingFor ?? ['starting']).map((what) => `${name}: ${what}`),
      ),
    };
  }

  /** Resolves once every service is ready; the error says what is missing. */
  async ready(timeoutMs: number): Promise<DeploymentStatus> {
    await Promise.all([...this.services.values()].map((service) => service.ready(timeoutMs)));
    return this.status;
  }

  /** Stops one service and starts it anew; resolves once it is ready again. It may listen elsewhere then. */
  async restart(name: string): Promise<void> {
    const before = this.services.get(name);
    this.services.delete(name);
    await before?.stop(this.#drainMs + stopGraceMs + 10_000);
    await this.#spawn(name, this.#environment).ready(startDeadlineMs);
  }

  /** Ends signalling first, while edge and relay still serve its last calls, then the rest. Idempotent. */
  async stop(): Promise<Record<string, string>> {
    this.#stopping = true;
    const ends: Record<string, string> = {};
    for (const name of ['signalling', 'media-relay', 'sip-edge', 'policy-sync', 'registration', 'gateway']) {
      const service = this.services.get(name);
      if (service) ends[name] = await service.stop(this.#drainMs + stopGraceMs + 10_000);
    }
    rmSync(this.#runDirectory, { recursive: true, force: true });
    return ends;
  }

  #spawn(name: string, environment: Record<string, string>): ServiceProcess {
    const service = new ServiceProcess({
      name,
      environment: serviceEnvironment(environment),
      onLog: this.#options.onLog,
    });
    this.services.set(name, service);
    service.onChange(() => this.#tell());
    void service.exited.then((how) => {
      const wanted = this.services.get(name) === service;
      if (wanted && !this.#stopping) this.#options.onFailure?.(`${name} ended: ${how}`);
    });
    return service;
  }

  #tell(): void {
    if (!this.#stopping) this.#options.onStatus?.(this.status);
  }

  /** The embedded edge and signalling share a secret that lives as long as they do. */
  #writeSecret(): string {
    chmodSync(this.#runDirectory, 0o700);
    const file = join(this.#runDirectory, 'edge-secret');
    writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
    return file;
  }
}
