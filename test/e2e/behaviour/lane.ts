// What a call has for itself in the shared deployment: two parties on addresses of their own and the two recorders of its tenant.
import type { LaboratoryConfig } from '@sidestream/cli';
import {
  type Authority,
  type CertificateRequest,
  type CredentialFiles,
  CredentialFolder,
  createAuthority,
} from '@sidestream/pki';
import {
  type Behaviour,
  combine,
  customerSpeech,
  type Finding,
  networkDelay,
  PartySimulator,
  type RecorderOptions,
  RecorderSimulator,
  sellerSpeech,
  type TracedMessage,
} from '@sidestream/simulators';

/** The laboratory's policy names this seller; each lane's tenant has the same policy. */
const sellerNumber = '+493012345001';
const customerNumber = '+4915112345678';
const accountId = 'AC00000000000000000000000000000001';

/** Whose certificate the first recorder shows. */
export type ShownCertificate = 'own' | 'other-name' | 'other-authority' | 'expired';

/** How the parts of a lane differ from good ones. */
export interface LaneOptions {
  /** What the first recorder does; the second is well behaved. */
  readonly behave: () => Behaviour;
  /** The first recorder is the only one. */
  readonly alone?: boolean;
  /** Nobody listens where the first recorder should be. */
  readonly away?: boolean;
  readonly certificate?: ShownCertificate;
  /** Between two RTCP reports of the first recorder; 5,000. */
  readonly rtcpIntervalMs?: number;
  /** How far away both recorders are, each way; 0. */
  readonly distanceMs?: number;
  /** How long the seller's telephone rings; 200. */
  readonly ringMs?: number;
  /** Keys of `tenants.*.recording`, whether or not the schema has them already. */
  readonly recording?: object;
}

/** The two recorders of a lane. */
export interface Recorders {
  readonly first: RecorderSimulator;
  readonly second: RecorderSimulator;
  /**
   * How many such messages the first has sent or received: `sent 491 INVITE`, `received UPDATE`; in a dialog whose INVITE came on a
   * connection before, `received OPTIONS on another connection`, too.
   */
  count(message: string): number;
}

/** Certificates for recorders and tenants, of an authority that all of them trust. */
export class Identities {
  readonly #folder: CredentialFolder;
  readonly #ours: Authority;
  readonly #theirs: Authority;
  /** Each is written once: a file that is written anew while another reads it is torn from its key. */
  readonly #written = new Map<string, Promise<CredentialFiles>>();

  private constructor(folder: CredentialFolder, ours: Authority, theirs: Authority) {
    this.#folder = folder;
    this.#ours = ours;
    this.#theirs = theirs;
  }

  static async create(): Promise<Identities> {
    const [ours, theirs] = [await createAuthority('Recorders'), await createAuthority('Somebody else')];
    return new Identities(await CredentialFolder.create(), ours, theirs);
  }

  recorder(shown: ShownCertificate): Promise<CredentialFiles> {
    const names = shown === 'other-name' ? ['somebody.example'] : ['localhost'];
    const notAfter = shown === 'expired' ? { notAfter: new Date(Date.now() - 60_000) } : {};
    const issuer = shown === 'other-authority' ? this.#theirs : this.#ours;
    return this.#write(issuer, `recorder-${shown}`, { dnsNames: names, ...notAfter });
  }

  tenant(): Promise<CredentialFiles> {
    return this.#write(this.#ours, 'tenant', { usages: 'client' });
  }

  remove(): Promise<void> {
    return this.#folder.remove();
  }

  #write(issuer: Authority, name: string, request: Partial<CertificateRequest>): Promise<CredentialFiles> {
    const written = this.#written.get(name) ?? this.#issue(issuer, name, request);
    this.#written.set(name, written);
    return written;
  }

  async #issue(issuer: Authority, name: string, request: Partial<CertificateRequest>): Promise<CredentialFiles> {
    return this.#folder.write(await issuer.issue({ commonName: name, ...request }), name, this.#ours);
  }
}

/** Counts messages by kind. */
class MessageCounts {
  readonly #counts = new Map<string, number>();
  /** The connections that brought the INVITEs, by Call-ID. */
  readonly #connections = new Map<string, string>();

  add({ direction, message, flowId }: TracedMessage): void {
    const kind = message.kind === 'request' ? message.method : `${message.status} ${message.cseq.method}`;
    this.#count(`${direction} ${kind}`);
    const connection = this.#connections.get(message.callId);
    if (connection !== undefined && connection !== flowId) this.#count(`${direction} ${kind} on another connection`);
    if (connection === undefined && kind === 'INVITE') this.#connections.set(message.callId, flowId);
  }

  #count(kind: string): void {
    this.#counts.set(kind, this.of(kind) + 1);
  }

  of(message: string): number {
    return this.#counts.get(message) ?? 0;
  }

  toString(): string {
    return [...this.#counts].map(([message, count]) => `${count} × ${message}`).join(', ');
  }
}

/** See the module's head. */
export class Lane implements Recorders {
  readonly options: LaneOptions;
  readonly tenant: string;
  readonly customer: PartySimulator;
  readonly seller: PartySimulator;
  readonly first: RecorderSimulator;
  readonly second: RecorderSimulator;
  /** What either recorder has found wrong, whether a session came of it or not. */
  readonly findings: Finding[] = [];
  readonly #messages: MessageCounts;
  readonly #number: number;
  readonly #tenantFiles: CredentialFiles;

  private constructor(
    o: Pick<Lane, 'options' | 'tenant' | 'customer' | 'seller' | 'first' | 'second'>,
    messages: MessageCounts,
    number: number,
    files: CredentialFiles,
  ) {
    this.options = o.options;
    this.tenant = o.tenant;
    this.customer = o.customer;
    this.seller = o.seller;
    this.first = o.first;
    this.second = o.second;
    this.#messages = messages;
    this.#number = number;
    this.#tenantFiles = files;
    for (const recorder of [this.first, this.second]) recorder.on('finding', (finding) => this.findings.push(finding));
  }

  /** Opens the lane with this number, from 1 to 250. */
  static async open(options: LaneOptions, number: number, identities: Identities): Promise<Lane> {
    const { distanceMs = 0, ringMs = 200, certificate = 'own', rtcpIntervalMs } = options;
    const party = (host: string, user: string, wav: URL) =>
      PartySimulator.start({
        name: user,
        uri: `sip:${user}@${host}`,
        listen: { protocol: 'udp', host },
        wav,
        incoming: { ringMs },
      });
    const messages = new MessageCounts();
    const recorder = async (shown: ShownCertificate, more: Partial<RecorderOptions>) =>
      RecorderSimulator.start({ tls: await identities.recorder(shown), accountId, ...more });
    const [customer, seller, first, second] = await Promise.all([
      party(`127.1.${number}.2`, customerNumber, customerSpeech),
      party(`127.1.${number}.3`, sellerNumber, sellerSpeech),
      recorder(certificate, {
        behaviour: combine(options.behave(), networkDelay(distanceMs)),
        onMessage: (traced) => messages.add(traced),
        ...(rtcpIntervalMs !== undefined && { rtcpIntervalMs }),
      }),
      recorder('own', { behaviour: networkDelay(distanceMs) }),
    ]);
    const parts = { options, tenant: `t${number}`, customer, seller, first, second };
    return new Lane(parts, messages, number, await identities.tenant());
  }

  /** Adds the lane's tenant and trunks to a configuration. */
  configure(config: LaboratoryConfig): void {
    const { certFile, keyFile, trustFile } = this.#tenantFiles;
    // At an address of the lane nobody listens, whatever port the kernel gives to others.
    const first = `${this.options.away === true ? `127.1.${this.#number}.4` : 'localhost'}:${this.first.address.port}`;
    const recorders = this.options.alone === true ? [first] : [first, `localhost:${this.second.address.port}`];
    config.tenants[this.tenant] = {
      accountId,
      region: 'local',
      recorders: recorders.map((at) => `sip:SRS@${at};transport=tls`),
      recording: { identity: { certFile, keyFile }, trustFile, ...this.options.recording },
      policy: { source: 'file', file: 'policy.yaml' },
    };
    const trunk = (side: 'customer' | 'seller', { address }: PartySimulator, to: string) => ({
      tenant: this.tenant,
      side,
      peers: [`${address.host}/32`],
      targets: [`sip:${address.host}:${address.port}`],
      routes: [{ to: `${this.tenant}-${to}` }],
    });
    config.trunks[`${this.tenant}-carrier`] = trunk('customer', this.customer, 'pbx');
    config.trunks[`${this.tenant}-pbx`] = trunk('seller', this.seller, 'carrier');
  }

  count(message: string): number {
    return this.#messages.of(message);
  }

  /** What the first recorder has said and heard. */
  get summary(): string {
    return String(this.#messages);
  }

  /** Where the customer's call goes. */
  uri(edge: string): string {
    return `sip:${sellerNumber}@${edge}`;
  }

  async close(): Promise<void> {
    await Promise.all([this.customer, this.seller, this.first, this.second].map((one) => one.close()));
  }
}
