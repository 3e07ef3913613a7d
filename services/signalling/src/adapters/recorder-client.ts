// SIP to recorders: @sidestream/sip over TLS, with the certificate of the tenant whose call it is, SNI and full verification. One
// connection per recorder and identity is kept warm and carries all recordings.
import { type Logger, SidestreamError } from '@sidestream/service';
import {
  type Flow,
  Headers,
  type InviteOptions,
  type MayReplace,
  type OutgoingInvite,
  SipError,
  type Target,
  TlsIdentity,
  Transports,
  UserAgent,
} from '@sidestream/sip';
import { type RecorderProfile, recordingContact, resolveRecorder } from '@sidestream/siprec';
import type { HeaderFields, RecorderClient, RecorderDialog, RecordingBody, RecordingInvite } from '../domain/ports.js';
import { SipRecorderDialog } from './recorder-dialog.js';

/** What a tenant shows to recorders and how long it waits for them. */
export interface RecorderTenant {
  readonly identity: { readonly certFile: string; readonly keyFile: string };
  /** Whether a changed certificate may be shown already; absent: at once. */
  readonly mayReplace?: MayReplace | undefined;
  /** Authorities to trust instead of the well-known ones. */
  readonly trustFile: string | undefined;
  readonly profile: RecorderProfile;
  /** Host part of our From. */
  readonly domain: string;
  readonly provisionalTimeoutMs: number;
  readonly finalTimeoutMs: number;
  /** The recorders that may be asked; connections to them are opened before the first call needs them. */
  readonly recorders: readonly string[];
}

interface Tenant extends RecorderTenant {
  readonly tls: TlsIdentity;
}

const keepAliveMs = 25_000;
const dialTimeoutMs = 3_000;
/** A long recording may pass without a SIP message, and the recorder's own BYE has no other way in than its connection. */
const idleTimeoutMs = 24 * 3_600_000;

export class SipRecorderClient implements RecorderClient {
  readonly #tenants = new Map<string, Tenant>();
  readonly #transports = new Transports({ keepAliveMs, dialTimeoutMs, idleTimeoutMs });
  // RFC 7866 §11.1.1: siprec stands in Require, never in Supported.
  readonly #agent = new UserAgent({ transports: this.#transports, product: 'Sidestream' });
  readonly #log: Logger;
  readonly #closing = new AbortController();
  /** Connections that were opened for something else than the INVITE at hand: they may have died without a word since. */
  readonly #used = new WeakSet<Flow>();

  /** @throws SipError when a tenant's certificate or key cannot be used */
  constructor(tenants: Readonly<Record<string, RecorderTenant>>, log: Logger) {
    this.#log = log;
    this.#transports.on('sent', (_bytes, flow) => this.#used.add(flow));
    const onFault = (error: Error) => log.error({ err: error }, "a recorder's message could not be handled");
    this.#transports.on('fault', onFault);
    this.#agent.on('fault', onFault);
    for (const [name, tenant] of Object.entries(tenants)) {
      const onProblem = (error: Error) =>
        log.error({ err: error, tenant: name }, 'the new recorder identity is not usable');
      const files = { ...tenant.identity, trustFile: tenant.trustFile };
      const tls = new TlsIdentity(files, onProblem, tenant.mayReplace);
      this.#tenants.set(name, { ...tenant, tls });
    }
  }

  /** Opens the connections that calls will use. Returns at once: a recorder that is away now is dialled by the first recording. */
  warm(): void {
    for (const [name, tenant] of this.#tenants) {
      for (const recorder of tenant.recorders) {
        this.#connect(tenant, recorder).catch((error: unknown) => {
          this.#log.warn({ err: error, tenant: name, recorder }, 'a recorder is not reachable now');
        });
      }
    }
  }

  async invite(invite: RecordingInvite, signal: AbortSignal): Promise<RecorderDialog> {
    const tenant = this.#tenants.get(invite.tenant);
    if (tenant === undefined)
      throw new SidestreamError('internal', `no recorder identity of tenant '${invite.tenant}'`);
    const { uri, scheme, host } = resolved(invite.recorder, tenant.profile);
    const contact = ({ local }: Flow) => recordingContact(tenant.profile, { scheme, user: 'SRC', ...local });
    let accepted: OutgoingInvite;
    try {
      accepted = await this.#open(tenant, {
        target: targetOf(tenant, invite.recorder),
        uri,
        from: `<sip:SRC@${tenant.domain}>`,
        to: `<${uri}>`,
        callId: invite.sipCallId,
        contact,
        ...content(invite),
        unwantedBye: () => content(invite.goodbye()),
        signal,
      });
    } catch (error) {
      throw recorderError(host, error);
    }
    return new SipRecorderDialog(host, contact, accepted);
  }

  /** Ends connections; dialogs that are still open are forgotten, so recordings are to be ended before. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#agent.close();
    await this.#transports.close();
  }

  async #connect(tenant: Tenant, recorder: string): Promise<void> {
    this.#used.add(await this.#transports.flow(targetOf(tenant, recorder), this.#closing.signal));
  }

  /**
   * Sends the INVITE. A warm connection on which nothing at all comes back may be dead although the recorder lives, so the INVITE is
   * then sent once more on a new one (RFC 3263 §4.3), within the same time for the final response.
   */
  async #open(
    { provisionalTimeoutMs, finalTimeoutMs }: Tenant,
    options: InviteOptions & { contact: (flow: Flow) => string },
  ): Promise<OutgoingInvite> {
    const deadline = performance.now() + finalTimeoutMs;
    let warm: Flow | undefined;
    let heard = false;
    try {
      return await this.#agent.invite({
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
      this.#log.warn({ err: error, recorder: options.target.host }, 'a connection is silent; a new one is tried');
      return this.#openAnew(warm, leftMs, options);
    }
  }

  async #openAnew(silent: Flow, leftMs: number, options: InviteOptions): Promise<OutgoingInvite> {
    const { target, signal } = options;
    // Another call may have replaced the connection meanwhile.
    const fresh = (await this.#transports.flow(target, signal)) === silent;
    let alive = false;
    try {
      const accepted = await this.#agent.invite({
        ...options,
        target: { ...target, fresh },
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
      // The recorder lives, the connection does not: its other dialogs dial anew with their next request.
      if (alive) silent.close();
    }
  }
}

function isSilence(error: unknown): boolean {
  return error instanceof SipError && (error.code === 'timed-out' || error.code === 'transport-failed');
}

function content({ headers, contentType, body }: RecordingBody & { headers: HeaderFields }) {
  return { headers: new Headers(headers), contentType, body };
}

function targetOf(tenant: Tenant, recorder: string): Target {
  const { host, port } = resolved(recorder, tenant.profile);
  return { protocol: 'tls', host, port, identity: tenant.tls };
}

function resolved(recorder: string, profile: RecorderProfile): ReturnType<typeof resolveRecorder> {
  try {
    return resolveRecorder(recorder, profile);
  } catch (error) {
    throw new SidestreamError('internal', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** The recorder's failure in the words of a termination. */
function recorderError(host: string, error: unknown): SidestreamError {
  if (!(error instanceof SipError)) return SidestreamError.from(error);
  const text = `recorder ${host}: ${error.message}`;
  switch (error.code) {
    case 'cancelled':
      return new SidestreamError('cancelled', text, { cause: error });
    case 'rejected':
    case 'malformed':
    case 'unsupported-version':
    case 'too-large':
      return new SidestreamError('recorder-refused', text, { cause: error });
    case 'timed-out':
    case 'transport-failed':
    case 'tls-refused':
    case 'dialog-gone':
    case 'not-possible':
      return new SidestreamError('recorder-unreachable', text, { cause: error });
    default:
      return unreachable(error.code);
  }
}

function unreachable(code: never): never {
  throw new TypeError(`unknown SIP error code ${String(code)}`);
}
