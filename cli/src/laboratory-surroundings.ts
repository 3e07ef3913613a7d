// What stands around the services of the laboratory: keys, real NATS and rtpengine, a recorder, a provider.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  freeTcpPort,
  freeUdpPort,
  type NatsPeer,
  type PortRange,
  type RtpenginePeer,
  startNats,
  startRtpengine,
} from '@sidestream/peers';
import { type Authority, createAuthority } from '@sidestream/pki';
import {
  ProviderSimulator,
  type ProviderSimulatorOptions,
  type RecorderOptions,
  RecorderSimulator,
} from '@sidestream/simulators';
import { accountId, laboratoryProvider, laboratoryServerName, laboratoryUsers } from './laboratory-config.js';

export interface SurroundingsOptions {
  /** Host names in the recorder's certificate; the configuration calls it `localhost`. */
  readonly recorderNames?: readonly string[];
  /** Options of the recorder; `false` for none. */
  readonly recorder?: Partial<RecorderOptions> | false;
  /** Options of the provider: the tenant is registered there and has its policy from there. None without: a policy file. */
  readonly provider?: Partial<ProviderSimulatorOptions>;
  /** False: the address is configured, nobody listens there. */
  readonly nats?: boolean;
  /** Where NATS keeps its streams; default: a directory of its own. */
  readonly natsStore?: string;
  readonly rtpengine?: boolean;
  /** Media ports of rtpengine where the usual few hundred are not enough. */
  readonly mediaPorts?: PortRange;
  readonly onLog?: (line: string) => void;
}

/** Each start gives the address for the configuration, and adds how to end it to `endings`. */
export class Surroundings {
  authority: Authority | undefined;
  nats: NatsPeer | undefined;
  rtpengine: RtpenginePeer | undefined;
  recorder: RecorderSimulator | undefined;
  provider: ProviderSimulator | undefined;
  readonly #directory: string;
  readonly #options: SurroundingsOptions;
  readonly #endings: (() => Promise<unknown>)[];
  readonly #progress: (what: string) => void;

  constructor(
    directory: string,
    options: SurroundingsOptions,
    endings: (() => Promise<unknown>)[],
    progress: (what: string) => void,
  ) {
    this.#directory = directory;
    this.#options = options;
    this.#endings = endings;
    this.#progress = progress;
  }

  async writeKeys(): Promise<void> {
    this.#progress('keys and certificates');
    const authority = await createAuthority('Sidestream laboratory');
    this.authority = authority;
    const issue = async (name: string, names: object) =>
      (await authority.issue({ commonName: name, ...names })).writeFiles(this.#directory, name);
    for (const name of ['signalling', 'media-relay', 'policy-sync', 'registration', 'gateway', 'cli'])
      await issue(name, { dnsNames: [`${name}.${laboratoryServerName}`] });
    await issue('contoso', { dnsNames: ['contoso.example'], usages: 'client' });
    await issue('recorder', { dnsNames: this.#options.recorderNames ?? ['localhost'], usages: 'server' });
    await issue('provider', { dnsNames: ['localhost'], usages: 'server' });
  }

  async startNats(): Promise<string> {
    if (this.#options.nats === false) return `nats://127.0.0.1:${await freeTcpPort('127.0.0.1')}`;
    const { peer, reason } = await startNats({
      jetStream: true,
      ...(this.#options.natsStore && { storeDirectory: this.#options.natsStore }),
    });
    if (!peer) throw new Error(`${reason}: apt-get install nats-server`);
    this.nats = peer;
    this.#endings.push(() => peer.stop());
    this.#progress(`nats (${peer.how})`);
    return peer.url;
  }

  async startRtpengine(): Promise<string> {
    if (this.#options.rtpengine === false) return `127.0.0.1:${await freeUdpPort('127.0.0.1')}`;
    const { peer, reason } = await startRtpengine(this.#options.mediaPorts && { mediaPorts: this.#options.mediaPorts });
    if (!peer) throw new Error(`${reason}: apt-get install rtpengine-daemon`);
    this.rtpengine = peer;
    this.#endings.push(() => peer.stop());
    this.#progress(`rtpengine (${peer.how})`);
    return peer.ng;
  }

  async startRecorder(): Promise<string> {
    if (this.#options.recorder === false) return `sip:SRS@localhost:${await freeTcpPort('127.0.0.1')};transport=tls`;
    const recorder = await RecorderSimulator.start({
      tls: {
        certFile: this.#file('recorder.crt'),
        keyFile: this.#file('recorder.key'),
        trustFile: this.#file('ca.crt'),
      },
      accountId,
      ...this.#options.recorder,
    });
    // An emitter without a listener for what goes wrong would hide it from the tests.
    recorder.on('problem', (error) => this.#options.onLog?.(`recorder: ${String(error)}`));
    this.recorder = recorder;
    this.#endings.push(() => recorder.close());
    this.#progress('recorder (TLS)');
    return `sip:SRS@localhost:${recorder.address.port};transport=tls`;
  }

  /** Undefined: the laboratory has none. */
  async startProvider(): Promise<string | undefined> {
    if (this.#options.provider === undefined) return undefined;
    const { entraTenantId, clientId, secret, secretFile } = laboratoryProvider;
    writeFileSync(this.#file(secretFile), secret, { mode: 0o600 });
    const provider = await ProviderSimulator.start({
      tls: { certFile: this.#file('provider.crt'), keyFile: this.#file('provider.key') },
      publicHost: 'localhost',
      entraTenantId,
      app: { clientId, secret },
      users: laboratoryUsers(),
      ...this.#options.provider,
    });
    this.provider = provider;
    this.#endings.push(() => provider.close());
    this.#progress('provider: Entra and the users API (TLS)');
    return provider.origin;
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }
}
