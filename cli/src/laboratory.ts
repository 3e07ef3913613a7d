// A whole Sidestream in a box, on free loopback ports: real NATS and rtpengine, the services, a recorder, keys that live
// as long as the box. The demo and the end-to-end tests stand on it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsPeer, RtpenginePeer } from '@sidestream/peers';
import type { Authority } from '@sidestream/pki';
import type { Event } from '@sidestream/proto/events/v1';
import { Bus, createLogger, type EventBody, EventFeed } from '@sidestream/service';
import type { ProviderSimulator, RecorderSimulator } from '@sidestream/simulators';
import { Registry } from 'prom-client';
import { stringify } from 'yaml';
import { Deployment } from './deployment.js';
import { readExternalEdge } from './external-edge.js';
import { type LaboratoryConfig, laboratoryConfig, laboratoryPolicy } from './laboratory-config.js';
import { Surroundings, type SurroundingsOptions } from './laboratory-surroundings.js';

/** The two trunks are told apart by their source address, so each side of a call has one of its own. */
export const customerHost = '127.0.0.2';
export const sellerHost = '127.0.0.3';

export interface LaboratoryOptions extends SurroundingsOptions {
  /** Where the carrier and the PBX listen, as `host:port;transport=…` after `sip:`. */
  readonly customerTarget: string;
  readonly sellerTarget: string;
  /** Folder of `sidestream edge-config`: its drachtio-server takes the place of our own edge. */
  readonly edge?: string;
  /** False: everything around is there and the configuration is written, but no service is started. */
  readonly services?: boolean;
  /** Changes the configuration before it is written. */
  readonly configure?: (config: LaboratoryConfig) => void;
  readonly onProgress?: (what: string) => void;
  /** How long to wait for readiness; 0 = do not wait. */
  readonly readyTimeoutMs?: number;
}

/** What is left where nothing should be. */
export interface Orphans {
  /** SIP dialogs at the edge. */
  readonly dialogs: number;
  /** Sessions in rtpengine. */
  readonly mediaSessions: number;
  /** Recordings at signalling, or sessions at the recorder, whichever is more. */
  readonly recordings: number;
}

/** An event's content by its kind: `callStarted`, `recordingEnded` … */
type EventBodies = { [B in EventBody as B['$case']]: B['value'] };

/** A watch of NATS 2.9 may be silent for a minute before it tells what is there. */
const readyTimeoutMs = 90_000;
const maxEvents = 10_000;

export class Laboratory {
  readonly events: Event[] = [];
  readonly configFile: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'sidestream-laboratory-'));
  readonly #options: LaboratoryOptions;
  readonly #log = createLogger({ name: 'laboratory', instance: '1', level: 'silent' });
  readonly #endings: (() => Promise<unknown>)[] = [];
  #surroundings: Surroundings | undefined;
  #deployment: Deployment | undefined;
  #failure: string | undefined;

  private constructor(options: LaboratoryOptions) {
    this.#options = options;
    this.configFile = join(this.#directory, 'sidestream.yaml');
  }

  /**
   * Starts everything; on any failure what was started is stopped before the error is thrown.
   *
   * @throws Error that says which program is missing, or which service did not become ready and why.
   */
  static async start(options: LaboratoryOptions): Promise<Laboratory> {
    const laboratory = new Laboratory(options);
    try {
      await laboratory.#start();
    } catch (error) {
      await laboratory.stop();
      throw error;
    }
    return laboratory;
  }

  get recorder(): RecorderSimulator {
    return present(this.#surroundings?.recorder, 'recorder');
  }

  get nats(): NatsPeer {
    return present(this.#surroundings?.nats, 'nats');
  }

  get rtpengine(): RtpenginePeer {
    return present(this.#surroundings?.rtpengine, 'rtpengine');
  }

  get provider(): ProviderSimulator {
    return present(this.#surroundings?.provider, 'provider');
  }

  get deployment(): Deployment {
    return present(this.#deployment, 'deployment');
  }

  get authority(): Authority {
    return present(this.#surroundings?.authority, 'authority');
  }

  /** Where parties send their calls: `host:port`. */
  sipAddress(protocol: 'udp' | 'tcp'): string {
    if (this.#options.edge !== undefined) return readExternalEdge(this.#options.edge).sip;
    const address = this.deployment.status.addresses[`sip-edge.sip.${protocol}`];
    if (address === undefined) throw new Error(`the edge does not listen on ${protocol}`);
    return address.replace(/^\w+:(\/\/)?/, '');
  }

  /** What `/metrics` of a service says of one metric: the sum over its labels that match. */
  async metric(service: string, name: string, labels = ''): Promise<number> {
    const base = this.deployment.status.addresses[`${service}.management`];
    const response = await fetch(`${base}/metrics`, { signal: AbortSignal.timeout(5_000) });
    const lines = (await response.text()).split('\n');
    return lines
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Counts what is left in the edge, in rtpengine, at signalling and at the recorder. */
  async orphans(): Promise<Orphans> {
    const [dialogs, mediaSessions, recordings] = await Promise.all([
      this.#options.edge === undefined ? this.metric('sip-edge', 'sidestream_edge_dialogs') : 0,
      this.#engineSessions(),
      this.metric('signalling', 'sidestream_recordings_active'),
    ]);
    return { dialogs, mediaSessions, recordings: Math.max(recordings, this.#surroundings?.recorder?.active ?? 0) };
  }

  /** The events of one kind so far, in order. */
  bodies<K extends keyof EventBodies>(kind: K): EventBodies[K][] {
    // The discriminant says which value it is; the compiler can't follow it through a generic key.
    return this.events.flatMap(({ body }) => (body?.$case === kind ? [body.value as EventBodies[K]] : []));
  }

  /** Ends everything that start() began, the newest first. Idempotent. */
  async stop(): Promise<void> {
    for (const end of this.#endings.splice(0).reverse()) await end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const progress = this.#options.onProgress ?? (() => undefined);
    const surroundings = new Surroundings(this.#directory, this.#options, this.#endings, progress);
    this.#surroundings = surroundings;
    await surroundings.writeKeys();
    const natsUrl = await surroundings.startNats();
    const config = laboratoryConfig({
      natsUrl,
      ng: await surroundings.startRtpengine(),
      engineHttp: surroundings.rtpengine?.http,
      recorderUri: await surroundings.startRecorder(),
      providerOrigin: await surroundings.startProvider(),
      customerHost,
      sellerHost,
      customerTarget: this.#options.customerTarget,
      sellerTarget: this.#options.sellerTarget,
    });
    if (this.#options.edge !== undefined) {
      const { admin, secretFile } = readExternalEdge(this.#options.edge);
      const { listen: _, ...signalling } = config.signalling;
      config.signalling = { ...signalling, edge: `tcp://${admin}`, edgeSecretFile: secretFile };
    }
    this.#options.configure?.(config);
    writeFileSync(this.configFile, stringify(config));
    writeFileSync(join(this.#directory, 'policy.yaml'), stringify(laboratoryPolicy()));
    if (surroundings.nats) await this.#followEvents(natsUrl);
    if (this.#options.services === false) return;
    progress(`sip-edge, media-relay,${surroundings.provider ? ' registration, policy-sync,' : ''} signalling`);
    await this.#startDeployment();
  }

  async #followEvents(url: string): Promise<void> {
    const bus = Bus.open({
      nats: { servers: [url], replicas: 1 },
      name: 'laboratory',
      log: this.#log,
      metrics: new Registry(),
    });
    const feed = new EventFeed(bus, { log: this.#log });
    this.#endings.push(async () => {
      feed.stop();
      await bus.close();
    });
    await feed.start((event) => {
      this.events.push(event);
      if (this.events.length > maxEvents) this.events.shift();
    }, AbortSignal.timeout(10_000));
  }

  async #startDeployment(): Promise<void> {
    const deployment = await Deployment.start({
      configFile: this.configFile,
      onLog: this.#options.onLog ?? (() => undefined),
      onFailure: (what) => {
        this.#failure = what;
      },
    });
    this.#deployment = deployment;
    this.#endings.push(() => deployment.stop());
    const timeoutMs = this.#options.readyTimeoutMs ?? readyTimeoutMs;
    if (timeoutMs > 0) await deployment.ready(timeoutMs);
    if (this.#failure !== undefined) throw new Error(this.#failure);
  }

  async #engineSessions(): Promise<number> {
    const http = this.#surroundings?.rtpengine?.http;
    if (http === undefined) return this.metric('media-relay', 'sidestream_media_sessions');
    const response = await fetch(`http://${http}/cli/list%20numsessions`, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    const total = /Current sessions total:\s*(\d+)/i.exec(text)?.[1];
    if (total === undefined) throw new Error(`rtpengine's answer is not understood: ${text.slice(0, 100)}`);
    return Number(total);
  }
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the laboratory has no ${what}`);
  return value;
}
