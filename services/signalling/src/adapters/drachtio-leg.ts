// One established dialog as the domain's Leg. It works round what drachtio-srf does in a dialog: modify() that blocks for ever after
// one failure, request() that calls back for provisional responses, 200 to everything that nobody listens to.
import { type Logger, SidestreamError } from '@sidestream/service';
import { type DigestLogin, parseSipfrag } from '@sidestream/sip';
import { raced } from '../domain/deadline.js';
import type { DialogId, IncomingOffer, Leg, LegHandlers, SipFields } from '../domain/ports.js';
import { isRecordAware } from '../domain/recording-awareness.js';
import type { SrfDialog, SrfHeaders, SrfRequest, SrfResponse } from './drachtio-contract.js';
import { PeerIdentity } from './drachtio-identity.js';
import { fieldsOf, sdpOf, sendResponse } from './drachtio-message.js';
import { DrachtioReferral } from './drachtio-referral.js';
import { allowed } from './drachtio-screen.js';

/** The edge as a leg sees it. */
export interface LegEdge {
  /** Aborted when the connection that the dialog was made on is gone. */
  readonly lost: AbortSignal;
  /** Sends BYE on the connection there is now, for a dialog of an earlier one. */
  byeAnyway(dialogId: string, headers: SrfHeaders): Promise<void>;
}

/** How long the ACK of an answered offer may take: 64*T1 (RFC 3261 §13.3.1.4). */
const ackDeadlineMs = 32_000;
/** What a peer does before anybody listens is kept, but not without bound. */
const maxEarlyEvents = 16;

export class DrachtioLeg implements Leg {
  readonly recordAware: boolean;
  readonly dialog: DialogId;
  readonly #dialog: SrfDialog;
  readonly #edge: LegEdge;
  readonly #log: Logger;
  /** Aborted when the dialog is over, by whomever. */
  readonly #over = new AbortController();
  #handlers: LegHandlers | undefined;
  #early: ((handlers: LegHandlers) => void)[] = [];
  #onReferStatus: ((status: number) => void) | undefined;
  #onAck: ((sdp: string) => void) | undefined;
  #bye: Promise<void> | undefined;
  readonly #login: DigestLogin | undefined;
  readonly #identity: PeerIdentity;
  /** The Request-URI of the last challenged request: where the peer is reached, as the edge has it. */
  #target: string;

  /**
   * @param supported Supported of the peer's INVITE or of its 200
   * @param login answers challenges within the dialog
   */
  constructor(dialog: SrfDialog, supported: string | undefined, edge: LegEdge, log: Logger, login?: DigestLogin) {
    this.recordAware = isRecordAware(supported);
    const { callId: sipCallId, localTag, remoteTag } = dialog.sip;
    this.dialog = { sipCallId, localTag, remoteTag };
    this.#dialog = dialog;
    this.#edge = edge;
    this.#log = log;
    this.#login = login;
    this.#identity = new PeerIdentity(dialog);
    this.#target = dialog.remote.uri;
    dialog.on('destroy', (_request, reason) => this.#ended(reason));
    dialog.on('ack', (request) => this.#onAck?.(sdpOf(request)));
    // The library tells of an ACK one turn later than it tells of the re-INVITE that came after it.
    dialog.on('modify', (request, response) => setImmediate(() => this.#offered(request, response)));
    dialog.on('update', (request, response) => this.#updated(request, response));
    dialog.on('info', (request, response) => this.#informed(request, response));
    dialog.on('refer', (request, response) => this.#referred(request, response));
    // Without a listener each of these is answered 200 and lost.
    dialog.on('notify', (request, response) => this.#notified(request, response));
    for (const method of ['message', 'publish'] as const) {
      dialog.on(method, (_request, response) => this.#send(response, 405, { headers: allowed }));
    }
  }

  /** Resolves with the answer in the next ACK; '' when it has none or does not come. */
  answerInAck(): Promise<string> {
    return this.#nextAck();
  }

  listen(handlers: LegHandlers): void {
    this.#handlers = handlers;
    const early = this.#early;
    this.#early = [];
    for (const tell of early) tell(handlers);
  }

  async reinvite(sdp: string, signal: AbortSignal): Promise<{ status: number; reason: string; sdp: string }> {
    const headers = { Contact: this.#dialog.local.contact, 'Content-Type': 'application/sdp' };
    const response = await this.#request('INVITE', headers, sdp, signal);
    // drachtio-srf keeps this itself only in modify(); the 200 to an unanswered late offer would be stale otherwise.
    if (response.status < 300) this.#dialog.local.sdp = sdp;
    return { status: response.status, reason: response.reason, sdp: sdpOf(response) };
  }

  async info(contentType: string, body: string, signal: AbortSignal): Promise<number> {
    const headers: SrfHeaders = contentType === '' ? {} : { 'Content-Type': contentType };
    return (await this.#request('INFO', headers, body, signal)).status;
  }

  async refer(headers: SipFields, onStatus: (status: number) => void, signal: AbortSignal): Promise<number> {
    this.#onReferStatus = onStatus;
    const { contact } = this.#dialog.local;
    const { status } = await this.#request('REFER', { ...fieldsOf(headers), Contact: contact }, '', signal);
    return status;
  }

  bye(reason: string | undefined, signal: AbortSignal): Promise<void> {
    if (this.#over.signal.aborted && this.#bye === undefined) return Promise.resolve();
    this.#bye ??= this.#sayBye(reason === undefined ? {} : { Reason: reason }, signal);
    return this.#bye;
  }

  async #sayBye(headers: SrfHeaders, signal: AbortSignal): Promise<void> {
    this.#over.abort(new SidestreamError('cancelled', 'the dialog is over'));
    try {
      if (this.#edge.lost.aborted) return await raced(this.#edge.byeAnyway(this.#dialog.id, headers), signal);
      const limits = [signal, this.#edge.lost];
      if (this.#login !== undefined) return void (await this.#exchange('BYE', headers, '', limits));
      const answered = new Promise<void>((resolve, reject) => {
        this.#dialog.destroy({ headers }, (error) => (error ? reject(asError(error)) : resolve()));
      });
      await raced(answered, ...limits);
    } catch (error) {
      // ENODIALOG: the peer's BYE was faster. Everything else is a dialog that the edge ends by itself.
      this.#log.debug({ err: error }, 'BYE came to nothing');
    }
  }

  #request(method: string, headers: SrfHeaders, body: string, signal: AbortSignal): Promise<SrfResponse> {
    return this.#exchange(method, headers, body, [signal, this.#over.signal, this.#edge.lost]);
  }

  /** Sends a request, and again with credentials while a challenge can be answered. */
  async #exchange(
    method: string,
    headers: SrfHeaders,
    body: string,
    limits: readonly AbortSignal[],
  ): Promise<SrfResponse> {
    const attempt = this.#login?.attempt();
    for (;;) {
      const credentials = this.#login?.headers({ method, uri: this.#target, body }) ?? {};
      const response = await this.#sendOnce(method, { ...headers, ...credentials }, body, limits);
      if (attempt?.take(response) !== true) return response;
      this.#target = response.req.uri;
    }
  }

  #sendOnce(method: string, headers: SrfHeaders, body: string, limits: readonly AbortSignal[]): Promise<SrfResponse> {
    const answered = new Promise<SrfResponse>((resolve, reject) => {
      const done = (error: unknown, response?: SrfResponse) => {
        if (error || response === undefined)
          reject(new SidestreamError('internal', `${method} not sent`, { cause: error }));
        else if (response.status >= 200) resolve(response);
      };
      try {
        this.#dialog.request({ method, headers, ...(body === '' ? {} : { body }) }, done);
      } catch (error) {
        done(error);
      }
    });
    return raced(answered, ...limits);
  }

  #offered(request: SrfRequest, response: SrfResponse): void {
    this.#identified(request);
    const sdp = sdpOf(request);
    this.#offer({
      sdp,
      answer: async (own) => {
        const acknowledged = sdp === '' ? this.#nextAck() : Promise.resolve('');
        this.#dialog.local.sdp = own;
        const headers = { Contact: this.#dialog.local.contact, 'Content-Type': 'application/sdp' };
        await this.#send(response, 200, { headers, body: own });
        return acknowledged;
      },
      refuse: (status, headers = {}) => void this.#send(response, status, { headers }),
    });
  }

  /** RFC 3311: UPDATE with a body is an offer, without one a refresh. */
  #updated(request: SrfRequest, response: SrfResponse): void {
    this.#identified(request);
    const sdp = sdpOf(request);
    if (sdp === '') {
      void this.#send(response, 200, {});
      return;
    }
    this.#offer({
      sdp,
      answer: async (own) => {
        this.#dialog.local.sdp = own;
        await this.#send(response, 200, { headers: { 'Content-Type': 'application/sdp' }, body: own });
        return '';
      },
      refuse: (status, headers = {}) => void this.#send(response, status, { headers }),
    });
  }

  #offer(offer: IncomingOffer): void {
    if (this.#tell((handlers) => handlers.offer(offer))) return;
    offer.refuse(491);
  }

  #identified(request: SrfRequest): void {
    if (this.#identity.changes(request))
      this.#tell((handlers) => handlers.identified({ header: (name) => request.get(name) }));
  }

  #informed(request: SrfRequest, response: SrfResponse): void {
    const contentType = request.get('Content-Type') ?? '';
    const respond = (status: number) => void this.#send(response, status, {});
    if (!this.#tell((handlers) => handlers.info({ contentType, body: request.body, respond }))) respond(480);
  }

  #referred(request: SrfRequest, response: SrfResponse): void {
    const referral = new DrachtioReferral(request, {
      respond: (status, headers) => void this.#send(response, status, { headers }),
      notify: (headers, body, signal) => this.#request('NOTIFY', headers, body, signal),
    });
    if (!this.#tell((handlers) => handlers.refer(referral))) referral.refuse(480);
  }

  #notified(request: SrfRequest, response: SrfResponse): void {
    const onStatus = this.#onReferStatus;
    if (onStatus === undefined || !/^\s*refer\s*(;|$)/i.test(request.get('Event') ?? '')) {
      void this.#send(response, 405, { headers: allowed });
      return;
    }
    void this.#send(response, 200, {});
    const told = parseSipfrag(request.body)?.status;
    const isOver = /^\s*terminated\b/i.test(request.get('Subscription-State') ?? '');
    if (isOver || (told ?? 0) >= 200) this.#onReferStatus = undefined;
    // It ends without a word of how: the other party will hear nothing more either.
    if (told !== undefined) onStatus(told);
    else if (isOver) onStatus(480);
  }

  #ended(reason: string | undefined): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort(new SidestreamError('cancelled', 'the peer ended the dialog'));
    const text = reason ?? '';
    const cause = /ack timeout/i.test(text)
      ? 'ack-timeout'
      : /session timer/i.test(text)
        ? 'session-expired'
        : 'hangup';
    const detail = cause === 'hangup' ? 'BYE' : text;
    this.#early = [];
    this.#tell((handlers) => handlers.ended(cause, detail));
  }

  /** False when there is no room to keep it. */
  #tell(event: (handlers: LegHandlers) => void): boolean {
    if (this.#handlers) {
      event(this.#handlers);
      return true;
    }
    if (this.#early.length >= maxEarlyEvents) return false;
    this.#early.push(event);
    return true;
  }

  #nextAck(): Promise<string> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#onAck?.(''), ackDeadlineMs);
      timer.unref();
      this.#onAck = (sdp) => {
        clearTimeout(timer);
        this.#onAck = undefined;
        resolve(sdp);
      };
      this.#over.signal.addEventListener('abort', () => this.#onAck?.(''), { once: true });
    });
  }

  #send(response: SrfResponse, status: number, options: { headers?: SrfHeaders; body?: string }): Promise<void> {
    return sendResponse(response, status, options, this.#edge.lost).catch((error: unknown) => {
      this.#log.debug({ err: error, status }, 'a response within the dialog could not be sent');
    });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
