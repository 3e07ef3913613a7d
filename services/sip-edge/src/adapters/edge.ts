// The edge as one thing: SIP listeners on one side, the admin port on the other. Wiring of the parts, no rules of its own.
import type { Logger, Secret } from '@sidestream/service';
import {
  type Clock,
  SipError,
  type TimerValues,
  type TlsIdentity,
  TransactionLayer,
  type TransportProtocol,
  Transports,
} from '@sidestream/sip';
import type { Registry } from 'prom-client';
import { AppMessageError, parseAppMessage } from '../domain/app-message.js';
import { DialogBook } from '../domain/dialog-book.js';
import { Door } from '../domain/door.js';
import { hostPort } from '../domain/local-address.js';
import { RouteTable } from '../domain/routing.js';
import { SourceGate, type SourceLimits } from '../domain/source-gate.js';
import type { AdminClient, AdminLimits, SipFrame } from './admin-client.js';
import { AdminServer } from './admin-server.js';
import { Answers } from './answers.js';
import { ClientSide } from './client-side.js';
import { DestinationError, Destinations } from './destinations.js';
import type { EdgeContext } from './edge-context.js';
import type { EdgeDialog } from './edge-dialog.js';
import { EdgeMetrics } from './edge-metrics.js';
import { InDialogRequests } from './in-dialog-requests.js';
import { KnownPeers, type PeerDomain } from './known-peers.js';
import { Listeners } from './listeners.js';
import { Orphans } from './orphans.js';
import { repeatAckOfStray } from './owed-ack.js';
import { PeerLog } from './peer-log.js';
import { ServerSide } from './server-side.js';
import { ServiceLookup } from './service-lookup.js';

export interface EdgeOptions {
  readonly listen: readonly { protocol: TransportProtocol; host: string; port: number }[];
  /** Host that the far side shall see instead of the bound address. */
  readonly advertise?: string | undefined;
  /** IP addresses, networks and host names that may speak to the edge. */
  readonly peers: readonly string[];
  /** Domains whose places, as SRV records have them, may speak to it as well. */
  readonly domains?: readonly PeerDomain[] | undefined;
  /** `host:port` of DNS servers to ask for SRV records; those of the system unless told. */
  readonly dnsServers?: readonly string[] | undefined;
  /** Whether others may call: signalling asks them who they are. */
  readonly callsFromStrangers?: boolean | undefined;
  /** SIP domains whose certificate makes a peer of anybody on TLS; client certificates must be asked for. */
  readonly certificateNames?: readonly string[] | undefined;
  readonly secret: Secret;
  readonly adminPort: number;
  readonly tls?: { readonly identity: TlsIdentity; readonly requestClientCertificate: boolean } | undefined;
  readonly maxDialogs: number;
  readonly maxTransactions: number;
  /** What one source may bring; the defaults are far above what an honest peer needs. */
  readonly sources?: Partial<SourceLimits & { readonly connections: number }> | undefined;
  readonly adminLimits?: Partial<AdminLimits> | undefined;
  readonly timers?: Partial<TimerValues> | undefined;
  readonly clock?: Clock | undefined;
  readonly lookupDeadlineMs?: number | undefined;
  readonly dialDeadlineMs?: number | undefined;
  /** Default 5 minutes; see EdgeContext. */
  readonly ringingDeadlineMs?: number | undefined;
  /** From the loss of an application to the BYEs in its calls; default 5 s. */
  readonly orphanGraceMs?: number | undefined;
  readonly log: Logger;
  readonly metrics: Registry;
}

/** What drachtio-srf takes for the server's version; from v0.8.2 on it may ping. */
const version = 'v0.9.10-sidestream';

/** Ten times what a busy carrier sends, a third of what this process can read. */
const defaultSources = { messagesPerSecond: 4_000, connectionsPerSecond: 100, connections: 512 };

/** Above what peers send of SIP and SDP, with Identity and History-Info; a datagram is smaller anyway. */
const messageLimits = { maxHeaderBytes: 16_384, maxHeaderFields: 128, maxBodyBytes: 65_536 };

const defaultDialDeadlineMs = 5_000;

/** Longer than any call rings that somebody waits for; RFC 3261 §13.3.1.1 has proxies give up after 3 minutes. */
const defaultRingingDeadlineMs = 5 * 60_000;

export class Edge {
  readonly #options: EdgeOptions;
  readonly #transports: Transports;
  readonly #layer: TransactionLayer;
  readonly #listeners = new Listeners();
  readonly #peers: KnownPeers;
  readonly #services: ServiceLookup;
  readonly #routes = new RouteTable<AdminClient>();
  readonly #book: DialogBook<AdminClient, EdgeDialog>;
  readonly #admin: AdminServer;
  readonly #server: ServerSide;
  readonly #client: ClientSide;
  readonly #answers: Answers;
  readonly #inDialog: InDialogRequests;
  readonly #orphans: Orphans;
  #adminPort = 0;

  private constructor(options: EdgeOptions) {
    this.#options = options;
    const { log, timers, clock, maxTransactions } = options;
    this.#services = new ServiceLookup({ deadlineMs: options.lookupDeadlineMs ?? 3_000, servers: options.dnsServers });
    this.#peers = new KnownPeers({ entries: options.peers, domains: options.domains, services: this.#services, log });
    const { connections, ...rates } = { ...defaultSources, ...options.sources };
    const isPeer = (address: string) => this.#peers.has(address);
    const door = new Door({
      callsFromStrangers: options.callsFromStrangers ?? false,
      certificateNames: options.certificateNames ?? [],
      isPeer,
      isInDialog: (request) => this.#book.findFor(request) !== undefined,
    });
    const opensToStrangers = (protocol: TransportProtocol) => door.opensToStrangers(protocol);
    const gate = new SourceGate({ ...rates, isPeer, opensToStrangers, clock: () => performance.now() });
    this.#transports = new Transports({
      accept: ({ host }, protocol) => gate.admits(host, protocol),
      pace: ({ host }, messages) => gate.pace(host, messages),
      limits: messageLimits,
      maxConnectionsPerSource: connections,
      dialTimeoutMs: options.dialDeadlineMs ?? defaultDialDeadlineMs,
    });
    this.#layer = new TransactionLayer({
      transports: this.#transports,
      maxTransactions,
      limits: messageLimits,
      timers,
      clock,
      receive: (request, flow) => door.receive(request, flow),
      viaHost: (flow) => hostPort(this.#listeners.of(flow)?.advertised ?? flow.local),
    });
    this.#book = new DialogBook(options.maxDialogs);
    const context = this.#context();
    this.#server = new ServerSide(context, this.#routes);
    this.#client = new ClientSide(context);
    this.#answers = new Answers(context, this.#server);
    this.#inDialog = new InDialogRequests(context);
    this.#orphans = new Orphans(context, options.orphanGraceMs);
    this.#layer.on('strayResponse', (response, flow) => {
      if (!this.#client.takeLateAnswer(response, flow)) void repeatAckOfStray(context, response);
    });
    this.#admin = new AdminServer(
      {
        secret: options.secret,
        welcome: () => [this.#listeners.describe('advertised'), version, this.#listeners.describe('bound')],
        route: (client, verb) => this.#routes.add(verb, client),
        removeRoute: (client, verb) => this.#routes.remove(verb, client),
        sip: (client, frame) => this.#onSipFrame(client, frame),
        closed: (client) => this.#onClientClosed(client),
      },
      log,
      options.adminLimits,
    );
  }

  /** Opens all ports. Rejects, with nothing left open, when one of them can't be opened. */
  static async start(options: EdgeOptions): Promise<Edge> {
    const edge = new Edge(options);
    try {
      await edge.#peers.start();
      for (const { protocol, host, port } of options.listen) {
        const bound = await edge.#transports.listen({ protocol, host, port, tls: options.tls });
        edge.#listeners.add(protocol, bound, options.advertise);
      }
      edge.#adminPort = await edge.#admin.listen(options.adminPort);
      return edge;
    } catch (error) {
      await edge.close();
      throw error;
    }
  }

  /** `admin` and `sip.udp`, `sip.tcp`, `sip.tls`; a second listener of a protocol is `sip.udp.2`. */
  get addresses(): Record<string, string> {
    const addresses: Record<string, string> = { admin: `tcp://127.0.0.1:${this.#adminPort}` };
    for (const { protocol, bound } of this.#listeners.all) {
      const taken = Object.keys(addresses).filter((key) => key.startsWith(`sip.${protocol}`)).length;
      addresses[taken === 0 ? `sip.${protocol}` : `sip.${protocol}.${taken + 1}`] = hostPort(bound);
    }
    return addresses;
  }

  get dialogs(): number {
    return this.#book.size;
  }

  /** Closes everything. Idempotent. */
  async close(): Promise<void> {
    this.#peers.close();
    this.#orphans.close();
    await this.#admin.close();
    this.#layer.close();
    await this.#transports.close();
  }

  #context(): EdgeContext {
    const { log, metrics: registry, tls } = this.#options;
    const metrics = new EdgeMetrics(registry, {
      dialogs: () => this.#book.size,
      transactions: () => this.#layer.size,
      clients: () => this.#admin.clients,
    });
    const refusals = new PeerLog(log);
    this.#transports.on('refused', (remote, protocol, because, detail) => {
      metrics.refused(protocol, because);
      // Strangers cost a count, not a line: there may be thousands a second.
      if (because !== 'not-admitted') refusals.warn(because, remote, { protocol, detail }, 'a peer is refused');
    });
    this.#layer.on('dropped', (flow) => {
      metrics.refused(flow.protocol, 'not-admitted');
      // On UDP without effect.
      flow.close();
    });
    this.#layer.on('malformed', (error, flow, answered) => {
      metrics.malformed();
      refusals.warn('malformed', flow.remote, { reason: error.message, answered }, 'malformed message');
    });
    this.#layer.on('fault', (error) => log.error({ err: error }, 'a message could not be handled'));
    const destinations = new Destinations({
      listeners: this.#listeners,
      identity: tls?.identity,
      lookupDeadlineMs: this.#options.lookupDeadlineMs ?? 3_000,
      services: this.#services,
    });
    return {
      layer: this.#layer,
      transports: this.#transports,
      listeners: this.#listeners,
      destinations,
      book: this.#book,
      isPeer: (address) => this.#peers.has(address),
      metrics,
      log,
      dialDeadlineMs: this.#options.dialDeadlineMs ?? defaultDialDeadlineMs,
      ringingDeadlineMs: this.#options.ringingDeadlineMs ?? defaultRingingDeadlineMs,
    };
  }

  /** The order of these questions is drachtio-server's: response, dialog, cancel, new request. */
  async #onSipFrame(client: AdminClient, frame: SipFrame): Promise<void> {
    try {
      const message = parseAppMessage(frame.sip);
      if (message.kind === 'response') return this.#answers.send(client, frame.id, frame.transactionId, message);
      if (frame.dialogId !== '') return await this.#inDialog.send(client, frame, message);
      if (message.method === 'CANCEL') return this.#client.cancel(client, frame, message.headers);
      return await this.#client.send(client, frame, message);
    } catch (error) {
      if (error instanceof AppMessageError || error instanceof DestinationError) {
        return client.nok(frame.id, error.message);
      }
      // The library refuses what would not be SIP on the wire, e.g. a line end inside a value.
      if (error instanceof SipError) return client.nok(frame.id, `Server error: ${error.message}`);
      throw error;
    }
  }

  #onClientClosed(client: AdminClient): void {
    this.#routes.removeClient(client);
    this.#server.abandon(client);
    this.#client.abandon(client);
    const orphans = this.#book.removeOwnedBy(client);
    this.#orphans.adopt(orphans);
    if (orphans.length > 0) {
      this.#options.log.warn({ client: client.name, dialogs: orphans.length }, 'dialogs lost their application');
    }
  }
}
