// SIP to recorders: @sidestream/sip over TLS, with the certificate of the tenant whose call it is, SNI and full verification. One
// connection per recorder and identity is kept warm and carries all recordings. Which recorder is fit to be asked: recorder-link.ts.
import { setMaxListeners } from 'node:events';
import { callSpan, inSpan, type Logger, type RecorderPlace, SidestreamError, type Span } from '@sidestream/service';
import {
  type AddressLookup,
  type Flow,
  Headers,
  type InviteOptions,
  type MayReplace,
  type OutgoingInvite,
  SipError,
  TlsIdentity,
  Transports,
  UserAgent,
} from '@sidestream/sip';
import { type RecorderProfile, recordingContact, resolveRecorder } from '@sidestream/siprec';
import type { Registry } from 'prom-client';
import type { HeaderFields, RecorderClient, RecorderDialog, RecordingBody, RecordingInvite } from '../domain/ports.js';
import { orderRecorders } from '../domain/recorder-choice.js';
import { Pacer } from './pacer.js';
import { SipRecorderDialog, type TimedRequest } from './recorder-dialog.js';
import { recorderError } from './recorder-failure.js';
import { RecorderLink, type RecorderTiming, usualTiming } from './recorder-link.js';
import { type MeasuredRecorder, RecorderMetrics } from './recorder-metrics.js';
import { initialSessionHeaders, wantedMinSeconds } from './recorder-session-timer.js';

/** What a tenant shows to recorders and how long it waits for them. */
export interface RecorderTenant {
  readonly identity: { readonly certFile: string; readonly keyFile: string };
  /** Whether a changed certificate may be shown already; absent: at once. */
  readonly mayReplace?: MayReplace | undefined;
  /** Authorities to trust instead of the well-known ones. */
  readonly trustFile: string | undefined;
  readonly profile: RecorderProfile;
  /** Stands in OPTIONS as well, where the profile has a header field for it. */
  readonly accountId: string;
  /** Host part of our From. */
  readonly domain: string;
  readonly provisionalTimeoutMs: number;
  readonly finalTimeoutMs: number;
  /** The recorders that may be asked, and no others. */
  readonly recorders: readonly RecorderPlace[];
}

export interface RecorderClientOptions {
  readonly metrics: Registry;
  readonly log: Logger;
  /** Default: the system's resolver. */
  readonly lookup?: AddressLookup;
  readonly timing?: RecorderTiming;
}

interface Tenant extends RecorderTenant {
  readonly links: ReadonlyMap<string, RecorderLink>;
}

/** A recorder that hangs with its sockets open shows by nothing else: it is found dead after this, 10 s (RFC 5626 §4.4.1) and two OPTIONS. */
const keepAliveMs = 4_000;
/** One for each tenant's recorder, and those that are being replaced. */
const maxConnections = 20_000;
/** Looking up, TCP and TLS, to whichever address. */
const dialTimeoutMs = 1_000;
/** A long recording may pass without a SIP message, and the recorder's own BYE has no other way in than its connection. */
const idleTimeoutMs = 24 * 3_600_000;
/** Dials and OPTIONS at a time, of all tenants together; calls do not wait for them. */
const probesAtOnce = 16;

type TracedInvite = InviteOptions & { readonly span: Span | undefined };

export class SipRecorderClient implements RecorderClient {
  readonly #tenants = new Map<string, Tenant>();
  readonly #transports: Transports;
  readonly #agent: UserAgent;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  readonly #options: RecorderClientOptions;
  readonly #metrics: RecorderMetrics;
  readonly #pacer = new Pacer(probesAtOnce);
  /** Connections on which something was sent before the INVITE at hand: they may have died without a word since. */
  readonly #used = new WeakSet<Flow>();
  readonly #flows = new WeakMap<Flow, RecorderLink>();

  /** @throws SipError when a tenant's certificate or key cannot be used, SiprecError for a recorder that nobody knows */
  constructor(tenants: Readonly<Record<string, RecorderTenant>>, options: RecorderClientOptions) {
    const { log, lookup } = options;
    // Every recorder and every request of ours listens to it; that is no leak.
    setMaxListeners(0, this.#closing.signal);
    this.#options = options;
    this.#log = log;
    this.#transports = new Transports({ maxConnections, keepAliveMs, dialTimeoutMs, idleTimeoutMs, lookup });
    // RFC 7866 §11.1.1: siprec stands in Require, never in Supported.
    this.#agent = new UserAgent({ transports: this.#transports, product: 'Sidestream', supported: ['timer'] });
    this.#metrics = new RecorderMetrics(options.metrics, () => this.measured);
    this.#transports.on('sent', (_bytes, flow) => this.#used.add(flow));
    this.#transports.on('message', (_bytes, flow) => this.#flows.get(flow)?.heard());
    this.#transports.on('closed', (flow, error) => this.#flows.get(flow)?.lost(flow, error));
    const onFault = (error: Error) => log.error({ err: error }, "a recorder's message could not be handled");
    this.#transports.on('fault', onFault);
    this.#agent.on('fault', onFault);
    for (const [name, tenant] of Object.entries(tenants)) {
      const onProblem = (error: Error) =>
        log.error({ err: error, tenant: name }, 'the new recorder identity is not usable; the old one stays in use');
      const files = { ...tenant.identity, trustFile: tenant.trustFile };
      const tls = new TlsIdentity(files, onProblem, tenant.mayReplace);
      const links = tenant.recorders.map((place) => this.#newLink(name, tenant, place, tls));
      this.#tenants.set(name, { ...tenant, links: new Map(links.map((link) => [link.candidate.recorder, link])) });
    }
  }

  /** Opens the connections that calls will use and looks after them. Returns at once: no recorder has to be there. */
  warm(): void {
    for (const link of this.#links()) link.start();
  }

  /** How each recorder of each tenant is now. */
  get measured(): MeasuredRecorder[] {
    return [...this.#links()].map(({ measured }) => measured);
  }

  order(tenant: string, recorders: readonly string[]): readonly string[] {
    const links = this.#tenants.get(tenant)?.links;
    const candidates = recorders.flatMap((recorder) => links?.get(recorder)?.candidate ?? []);
    return orderRecorders(candidates, Math.random);
  }

  invite(invite: RecordingInvite, signal: AbortSignal): Promise<RecorderDialog> {
    const attributes = { 'sip.call_id': invite.sipCallId, 'sidestream.recorder': invite.recorder };
    return inSpan('recorder INVITE', callSpan(invite.callId), { kind: 'client', attributes }, (span) =>
      this.#establish(invite, signal, span),
    );
  }

  async #establish(invite: RecordingInvite, signal: AbortSignal, span: Span | undefined): Promise<RecorderDialog> {
    const tenant = this.#tenants.get(invite.tenant);
    const link = tenant?.links.get(invite.recorder);
    if (tenant === undefined || link === undefined)
      throw new SidestreamError('internal', `'${invite.recorder}' is no recorder of tenant '${invite.tenant}'`);
    const { target } = link;
    const { uri, scheme, host } = resolveRecorder(invite.recorder, tenant.profile);
    const contact = ({ local }: Flow) => recordingContact(tenant.profile, { scheme, user: 'SRC', ...local });
    const claim = link.claim();
    try {
      const open = (timer: HeaderFields) =>
        link.connection.during(() =>
          this.#open(link, tenant, invite.last === true, {
            target,
            uri,
            from: `<sip:SRC@${tenant.domain}>`,
            to: `<${uri}>`,
            callId: invite.sipCallId,
            contact,
            ...content({ ...invite, headers: [...invite.headers, ...timer] }),
            unwantedBye: () => content(invite.goodbye()),
            signal,
            span,
          }),
        );
      const accepted = await open(initialSessionHeaders()).catch((error: unknown) => {
        const minSeconds = error instanceof SipError ? wantedMinSeconds(error.response) : undefined;
        if (minSeconds === undefined) throw error;
        return open(initialSessionHeaders(minSeconds));
      });
      claim.accepted(accepted.dialog);
      const of = { tenant: invite.tenant, span: callSpan(invite.callId) };
      const timed: TimedRequest = (method, request, statusOf) =>
        this.#metrics.timed({ ...of, method }, request, statusOf);
      return new SipRecorderDialog({ host, contact, unusable: claim.unusable, timed }, accepted);
    } catch (error) {
      claim.failed(error);
      throw recorderError(host, error);
    }
  }

  /** Ends connections; dialogs that are still open are forgotten, so recordings are to be ended before. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#agent.close();
    await this.#transports.close();
  }

  *#links(): Generator<RecorderLink> {
    for (const { links } of this.#tenants.values()) yield* links.values();
  }

  #newLink(name: string, tenant: RecorderTenant, place: RecorderPlace, tls: TlsIdentity): RecorderLink {
    const { uri, host, port } = resolveRecorder(place.recorder, tenant.profile);
    const target = { protocol: 'tls', host, port, identity: tls } as const;
    const { accountHeader } = tenant.profile;
    const headers = new Headers(accountHeader === undefined ? [] : [[accountHeader, tenant.accountId]]);
    const from = `<sip:SRC@${tenant.domain}>`;
    const { log, timing = usualTiming } = this.#options;
    const link: RecorderLink = new RecorderLink({
      tenant: name,
      recorder: place.recorder,
      place: place.place,
      maxSessions: place.maxSessions ?? Number.POSITIVE_INFINITY,
      target,
      ask: (signal) => {
        const timeoutMs = tenant.provisionalTimeoutMs;
        const request = { method: 'OPTIONS', target, uri, from, headers, signal, timeoutMs };
        const ask = () => this.#agent.request(request);
        return this.#metrics.timed({ tenant: name, method: 'OPTIONS' }, ask, ({ status }) => status);
      },
      transports: this.#transports,
      onOpen: (flow) => this.#flows.set(flow, link),
      timing,
      pacer: this.#pacer,
      metrics: this.#metrics,
      log,
      closing: this.#closing.signal,
    });
    return link;
  }

  /**
   * Sends the INVITE. A warm connection may be dead although the recorder lives. Where it ended by this INVITE, the INVITE is sent once
   * more on a new one (RFC 3263 §4.3), within the same time for the final response. Where nothing at all came back, that is worth the
   * time only if there is no other recorder to ask.
   */
  async #open(
    link: RecorderLink,
    { provisionalTimeoutMs, finalTimeoutMs }: Tenant,
    last: boolean,
    options: TracedInvite & { contact: (flow: Flow) => string },
  ): Promise<OutgoingInvite> {
    const deadline = performance.now() + finalTimeoutMs;
    let warm: Flow | undefined;
    let heard = false;
    await link.open(options.signal);
    try {
      return await this.#invite(link, {
        ...options,
        contact: (flow) => {
          if (this.#used.has(flow)) warm = flow;
          return options.contact(flow);
        },
        provisionalTimeoutMs,
        finalTimeoutMs,
        onProvisional: () => {
          heard = true;
        },
      });
    } catch (error) {
      const leftMs = deadline - performance.now();
      if (warm === undefined || heard || leftMs <= 0 || !isSilence(error)) throw error;
      link.connection.suspect(warm);
      if (error.code === 'timed-out' && !last) throw error;
      this.#log.warn({ err: error, recorder: options.target.host }, 'a connection is silent; a new one is tried');
      return this.#openAnew(link, leftMs, options);
    }
  }

  #invite(link: RecorderLink, { span, ...options }: TracedInvite): Promise<OutgoingInvite> {
    const { tenant } = link.measured;
    const invite = () => this.#agent.invite(options);
    return this.#metrics.timed({ tenant, method: 'INVITE', span }, invite, ({ response }) => response.status);
  }

  async #openAnew(link: RecorderLink, leftMs: number, options: TracedInvite): Promise<OutgoingInvite> {
    let alive = false;
    await link.open(options.signal);
    try {
      const accepted = await this.#invite(link, {
        ...options,
        finalTimeoutMs: leftMs,
        onProvisional: () => {
          alive = true;
        },
      });
      alive = true;
      return accepted;
    } catch (error) {
      alive ||= error instanceof SipError && error.code === 'rejected';
      throw error;
    } finally {
      if (alive) link.connection.recorderLives();
    }
  }
}

function isSilence(error: unknown): error is SipError {
  return error instanceof SipError && (error.code === 'timed-out' || error.code === 'transport-failed');
}

function content({ headers, contentType, body }: RecordingBody & { headers: HeaderFields }) {
  return { headers: new Headers(headers), contentType, body };
}
