// SIP towards the trunks through drachtio-srf, and the only file that imports it. What the library gets wrong is put right here and
// in the drachtio-* files beside it; the domain sees the Trunking port.
import { setMaxListeners } from 'node:events';
import type { TrunkProtocol } from '@sidestream/routing';
import { type Logger, SidestreamError } from '@sidestream/service';
import type { DigestLogin } from '@sidestream/sip';
import DrachtioSrf from 'drachtio-srf';
import type { Claim } from '../domain/caller-proof.js';
import { raced } from '../domain/deadline.js';
import type {
  Acceptance,
  IncomingInvite,
  MonotonicClock,
  Offered,
  OutgoingInvite,
  OutgoingRegister,
  Refusal,
  RegisterAnswer,
  Trunking,
} from '../domain/ports.js';
import type { Srf, SrfDialog, SrfHeaders, SrfOffered, SrfRequest, SrfResponse } from './drachtio-contract.js';
import { DrachtioInvite } from './drachtio-invite.js';
import { DrachtioLeg, type LegEdge } from './drachtio-leg.js';
import { fieldsOf, sdpOf, sendResponse, toTagOf } from './drachtio-message.js';
import { DrachtioOfferingLeg } from './drachtio-offering-leg.js';
import { notAllowed, refusalAtOnce, unservedMethods } from './drachtio-screen.js';

export interface DrachtioTrunkingOptions {
  /** Where the edge takes drachtio's protocol. */
  readonly edge: { readonly host: string; readonly port: number };
  readonly secret: string;
  readonly clock: MonotonicClock;
  readonly log: Logger;
  /** A new login with a trunk's credentials; undefined where it has none. */
  loginOf(trunk: string): DigestLogin | undefined;
  onInvite(invite: IncomingInvite): void;
  /** What an OPTIONS outside a dialog hears. */
  onOptions(request: Claim): { status: number; headers: Record<string, string> };
  /** The connection to the edge came up or went down; `detail` says what is wrong. */
  onEdge(up: boolean, detail: string): void;
}

const reconnectMaxDelayMs = 1_000;
const lateByeDeadlineMs = 5_000;

export class DrachtioTrunking implements Trunking {
  readonly #options: DrachtioTrunkingOptions;
  readonly #srf: Srf;
  /** One for each connection; aborted when it is lost. */
  #connection = new AbortController();
  #up = false;
  #closed = false;
  #addresses: { protocol: string; hostPort: string }[] = [];

  constructor(options: DrachtioTrunkingOptions) {
    this.#options = options;
    // The library's own declarations are incomplete, so its shape is declared in drachtio-contract.ts.
    this.#srf = new DrachtioSrf() as unknown as Srf;
    this.#connection.abort(edgeAway());
  }

  /** Connects and stays connected until close(). Returns at once. */
  connect(): void {
    const { edge, secret } = this.#options;
    this.#srf.on('connect', (error, hostPorts) => this.#connected(error, hostPorts ?? ''));
    this.#srf.on('error', (error) => this.#disconnected(error instanceof Error ? error.message : String(error)));
    this.#srf.on('close', () => this.#disconnected('the connection was closed'));
    this.#srf.invite((request, response) => this.#invited(request, response));
    this.#srf.options((request, response) => this.#asked(request, response));
    for (const method of unservedMethods) {
      this.#srf[method]((_request, response) => {
        const { status, headers } = notAllowed;
        sendResponse(response, status, { headers }, this.#connection.signal).catch(() => {});
      });
    }
    this.#srf.connect({ ...edge, secret, reconnect: { retryMaxDelay: reconnectMaxDelayMs } });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.abort(edgeAway());
    if (this.#up) this.#srf.disconnect();
    else this.#stopReconnecting();
    this.#up = false;
  }

  /** disconnect() asserts without a connection, and would leave the reconnect timer running for ever. */
  #stopReconnecting(): void {
    const wire = this.#srf.app.client?.wp;
    if (wire === undefined) return;
    wire.closing = true;
    clearTimeout(wire.reconnectVars.retryTimer ?? undefined);
    wire.socket?.destroy();
  }

  ownAddress(protocol: TrunkProtocol): string {
    const own = this.#addresses.find((address) => address.protocol === protocol) ?? this.#addresses[0];
    // The edge puts its own address in the place of this name (drachtio's rule).
    return own?.hostPort ?? 'localhost';
  }

  async invite(invite: OutgoingInvite, signal: AbortSignal): Promise<Acceptance | Offered | Refusal> {
    const edge = this.#edge();
    if (edge.lost.aborted) throw edgeAway();
    signal.throwIfAborted();
    const login = this.#options.loginOf(invite.trunk);
    const attempt = login?.attempt();
    let sent: SrfRequest | undefined;
    let given = false;
    const cancel = () => {
      const reason = invite.cancelReason?.();
      const options = { headers: reason === undefined ? {} : { Reason: reason } };
      sent?.cancel(options, (error) => error && this.#options.log.debug({ err: error }, 'CANCEL not sent'));
    };
    const outcome = new Promise<Acceptance | Offered | Refusal>((resolve, reject) => {
      const progress = {
        cbRequest: (error: unknown, request?: SrfRequest) => {
          if (error || request === undefined) return;
          const isFirst = sent === undefined;
          sent = request;
          if (given) cancel();
          else if (isFirst) invite.onSent();
        },
        cbProvisional: (response: SrfResponse) => {
          if (!given && response.status > 100) invite.onProgress(response.status, sdpOf(response), toTagOf(response));
        },
      };
      const done = (error: unknown, dialog?: SrfDialog | SrfOffered) => {
        if (dialog && !('local' in dialog)) {
          const { res } = dialog;
          resolve({
            kind: 'offered',
            leg: new DrachtioOfferingLeg(dialog, edge, this.#options.log, login),
            sdp: sdpOf(res),
          });
        } else if (dialog) {
          const { res } = dialog;
          const leg = new DrachtioLeg(dialog, res.get('supported'), edge, this.#options.log, login);
          resolve({ kind: 'accepted', leg, sdp: sdpOf(res), branch: toTagOf(res) });
        } else {
          const response = responseIn(error);
          if (!given && login && sent && response && attempt?.take(response)) {
            return send({ ...againAs(sent), ...login.headers({ method: 'INVITE', uri: sent.uri, body: invite.sdp }) });
          }
          const refusal = refusalOf(error, login !== undefined);
          if (refusal) resolve(refusal);
          else reject(notSent('INVITE', error));
        }
      };
      const send = (more: SrfHeaders) => {
        const headers = { ...fieldsOf(invite.headers), ...more };
        const options =
          invite.sdp === ''
            ? { noAck: true as const, headers }
            : { localSdp: invite.sdp, headers: { ...headers, 'Content-Type': 'application/sdp' } };
        try {
          this.#srf.createUAC(invite.uri, options, progress, done);
        } catch (error) {
          // Without a connection the library asserts instead of calling back.
          done(error);
        }
      };
      send({});
    });
    try {
      return await raced(outcome, signal, edge.lost);
    } catch (error) {
      given = true;
      if (signal.aborted) cancel();
      // RFC 3261 §9.1: a 2xx that crossed our CANCEL, be it in this very turn, made a dialog. The library has acknowledged it.
      outcome.then(
        (late) => endAccepted(late, invite.cancelReason?.()),
        () => {},
      );
      throw error;
    }
  }

  async options(uri: string, protocol: TrunkProtocol, signal: AbortSignal): Promise<number> {
    const headers = { From: `<sip:${this.ownAddress(protocol)}>`, To: `<${uri.replace(/;.*$/, '')}>` };
    return (await this.#ask('OPTIONS', uri, headers, signal)).status;
  }

  async register(register: OutgoingRegister, signal: AbortSignal): Promise<RegisterAnswer> {
    const { registrar: uri, address, contact, callId, expiresSeconds } = register;
    const login = this.#options.loginOf(register.trunk);
    const attempt = login?.attempt();
    for (;;) {
      const headers = {
        From: `<${address}>`,
        To: `<${address}>`,
        Contact: `<${contact}>`,
        'Call-ID': callId,
        CSeq: `${register.nextCseq()} REGISTER`,
        Expires: String(expiresSeconds),
        ...login?.headers({ method: 'REGISTER', uri, body: '' }),
      };
      const response = await this.#ask('REGISTER', uri, headers, signal);
      if (attempt?.take(response) === true) continue;
      const { status, reason, source_address: source } = response;
      return { status, reason, source, header: (name) => response.get(name) };
    }
  }

  /** A request outside a dialog, to its final response. */
  async #ask(method: string, uri: string, own: SrfHeaders, signal: AbortSignal): Promise<SrfResponse> {
    const { lost } = this.#edge();
    if (lost.aborted) throw edgeAway();
    const answered = new Promise<SrfResponse>((resolve, reject) => {
      const sent = (error: unknown, request?: SrfRequest) => {
        if (error || request === undefined) reject(notSent(method, error));
        else request.on('response', (response) => response.status >= 200 && resolve(response));
      };
      const headers = { ...own, 'Max-Forwards': '70', 'User-Agent': 'Sidestream' };
      try {
        this.#srf.request(uri, { method, headers }, sent);
      } catch (error) {
        sent(error);
      }
    });
    return raced(answered, signal, lost);
  }

  #connected(error: unknown, hostPorts: string): void {
    if (error) {
      this.#options.onEdge(false, error instanceof Error ? error.message : String(error));
      return;
    }
    this.#addresses = hostPorts.split(',').flatMap((entry) => {
      const [protocol, hostPort] = entry.split('/');
      return protocol && hostPort ? [{ protocol, hostPort }] : [];
    });
    this.#connection = new AbortController();
    // One for each request that is under way.
    setMaxListeners(0, this.#connection.signal);
    this.#up = true;
    this.#options.onEdge(true, hostPorts);
  }

  #disconnected(detail: string): void {
    const { host, port } = this.#options.edge;
    if (!this.#connection.signal.aborted) this.#connection.abort(edgeAway());
    this.#up = false;
    if (!this.#closed) this.#options.onEdge(false, `${host}:${port}: ${detail}`);
  }

  #invited(request: SrfRequest, response: SrfResponse): void {
    const receivedAtMs = this.#options.clock();
    const edge = this.#edge();
    const refusal = refusalAtOnce(request);
    if (refusal !== undefined) {
      const { status, headers } = refusal;
      sendResponse(response, status, { headers }, edge.lost).catch(() => {});
      return;
    }
    const { log } = this.#options;
    const options = { edge, receivedAtMs, log, loginOf: (trunk: string) => this.#options.loginOf(trunk) };
    this.#options.onInvite(new DrachtioInvite(this.#srf, request, response, options));
  }

  #asked(request: SrfRequest, response: SrfResponse): void {
    const source = { address: request.source_address, port: Number(request.source_port) };
    const header = (name: string) => request.get(name);
    const { status, headers } = this.#options.onOptions({ source, requestUri: request.uri, header });
    sendResponse(response, status, { headers }, this.#connection.signal).catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'OPTIONS could not be answered');
    });
  }

  #edge(): LegEdge {
    return { lost: this.#connection.signal, byeAnyway: (dialogId, headers) => this.#byeAnyway(dialogId, headers) };
  }

  /** drachtio-server keeps the dialogs of a lost connection; sip-edge does not and refuses this, which is as good. */
  async #byeAnyway(dialogId: string, headers: SrfHeaders): Promise<void> {
    if (!this.#up) throw edgeAway();
    await new Promise<void>((resolve, reject) => {
      this.#srf.app.request({ method: 'BYE', stackDialogId: dialogId, headers }, (error) =>
        error ? reject(new SidestreamError('not-found', String(error))) : resolve(),
      );
    });
  }
}

function endAccepted(outcome: Acceptance | Offered | Refusal, reason: string | undefined): void {
  if (outcome.kind !== 'refused') void outcome.leg.bye(reason, AbortSignal.timeout(lateByeDeadlineMs));
}

function refusalOf(error: unknown, hasCredentials: boolean): Refusal | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  const { status } = error;
  if (typeof status !== 'number') return undefined;
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : '';
  if (status >= 300 && status < 400)
    return { kind: 'refused', status, reason, contact: responseIn(error)?.get('contact') };
  if (status !== 401 && status !== 407) return { kind: 'refused', status, reason };
  const why = hasCredentials ? "the trunk's credentials don't satisfy it" : 'the trunk has no credentials';
  return { kind: 'refused', status, reason: `${reason} (${why})` };
}

/** The response that made createUAC fail; undefined where there was none. */
function responseIn(error: unknown): SrfResponse | undefined {
  if (typeof error !== 'object' || error === null || !('res' in error)) return undefined;
  return error.res as SrfResponse;
}

/** RFC 3261 §22.2: the request with credentials is the same one with the next CSeq. */
function againAs(sent: SrfRequest): SrfHeaders {
  const cseq = Number.parseInt(sent.get('CSeq') ?? '0', 10) + 1;
  return { 'Call-ID': sent.get('Call-ID') ?? '', From: sent.get('From') ?? '', CSeq: `${cseq} INVITE` };
}

function notSent(method: string, cause: unknown): SidestreamError {
  return new SidestreamError('not-ready', `${method} not sent: ${String(cause)}`, { cause });
}

function edgeAway(): SidestreamError {
  return new SidestreamError('not-ready', 'the SIP edge is away');
}
