// A dialog at work: its requests both ways (RFC 3261 §12.2, §14, §15). The data and the rules are in dialog/; here is who
// may send when, and who is told.
import { EventEmitter } from 'node:events';
import { receiveInDialog, requestInDialog, responseInDialog } from '../dialog/dialog-requests.js';
import type { DialogState } from '../dialog/dialog-state.js';
import { Headers } from '../message/headers.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { Flow } from '../transport/flow.js';
import { Acknowledgements } from './acknowledgements.js';
import type { DialogPath } from './dialog-path.js';
import { endsSession, isOfSession } from './failure-impact.js';
import { cancelled, finalResponse, type Patience } from './final-response.js';
import { IncomingInvite } from './incoming-invite.js';
import { answer, IncomingRequest } from './incoming-request.js';
import { attemptInvite } from './invite-attempt.js';
import { type Refusal, refusalOf } from './request-checks.js';
import { bodyOf, type Content, requestHeaders, type UaCore } from './ua-core.js';

export interface UaDialogEvents {
  /** INFO, UPDATE, OPTIONS …; has to be answered. Without a listener: OPTIONS 200, UPDATE 488, others 501. */
  request: [request: IncomingRequest];
  /** A new offer; has to be answered. Without a listener: 488. */
  reinvite: [invite: IncomingInvite];
  /** The peer ended the dialog; its BYE has been answered 200. */
  bye: [bye: SipRequest];
  /** Always the last event. `error`: no ACK, no answer, a failure that ends the session, or the user agent was closed. */
  ended: [reason: 'local' | 'remote' | 'error'];
  /** The connection is gone; the dialog is not. The next request dials again. */
  flowClosed: [];
}

/** What goes into a request within the dialog, and how long to wait for its answer. */
export interface DialogRequestOptions extends Content, Patience {}

/** A confirmed dialog with an INVITE usage. */
export class UaDialog extends EventEmitter<UaDialogEvents> {
  readonly #core: UaCore;
  readonly #path: DialogPath;
  readonly #acknowledgements = new Acknowledgements();
  #state: DialogState;
  #ack: { readonly cseq: number; readonly request: SipRequest } | undefined;
  #outgoing: ClientTransaction | 'starting' | undefined;
  #incoming: ServerTransaction | undefined;
  #held: ServerTransaction[] | undefined;
  #bye: Promise<SipResponse | undefined> | undefined;
  #ended = false;

  constructor(core: UaCore, state: DialogState, path: DialogPath) {
    super();
    this.#core = core;
    this.#state = state;
    this.#path = path;
  }

  /** The dialog as plain data, as it is now. */
  get state(): DialogState {
    return this.#state;
  }

  /** The flow used last; undefined in a revived dialog before its first request. */
  get flow(): Flow | undefined {
    return this.#path.flow;
  }

  get #over(): boolean {
    return this.#state.state === 'terminated';
  }

  /**
   * Sends a request within the dialog and resolves with its final response, whatever the status. What ends the dialog (481,
   * 404, no response at all …) is in RFC 5057 §5.1 and §5.2.
   * @throws SipError `dialog-gone`, `timed-out`, `cancelled`, `transport-failed` (the dialog stays), `tls-refused`.
   */
  async request(method: string, options: DialogRequestOptions = {}): Promise<SipResponse> {
    if (method === 'INVITE' || method === 'BYE' || method === 'ACK' || method === 'CANCEL') {
      throw new SipError('not-possible', `${method} has a method of its own`);
    }
    const transaction = await this.#send(method, options);
    return this.#took(await finalResponse(transaction, this.#core.layer.clock, options));
  }

  /**
   * Sends a re-INVITE and resolves with its final response; a 2xx is acknowledged. A 491 is returned: wait as RFC 3261 §14.1
   * says and try again.
   * @throws SipError as `request` does, and `not-possible` with status 491 while another INVITE is pending either way.
   */
  async reinvite(options: DialogRequestOptions): Promise<SipResponse> {
    // RFC 3261 §14.1: not before the ACK for the peer's own INVITE.
    await this.#acknowledgements.done();
    if (this.#outgoing !== undefined || this.#incoming?.pending) {
      throw new SipError('not-possible', 'another INVITE is pending in this dialog', { status: 491 });
    }
    this.#outgoing = 'starting';
    try {
      this.#outgoing = await this.#send('INVITE', options);
    } catch (error) {
      this.#outgoing = undefined;
      throw error;
    }
    const transaction = this.#outgoing;
    // The INVITE stays pending for its own time, even when the caller waits no longer.
    const settled = (): void => {
      if (this.#outgoing === transaction) this.#outgoing = undefined;
    };
    transaction.once('final', settled);
    transaction.once('terminated', settled);
    const response = await attemptInvite(transaction, this.#core.layer.clock, {
      signal: options.signal,
      finalTimeoutMs: options.timeoutMs,
      onAccepted: (accepted, flow) => {
        this.#state = responseInDialog(this.#state, accepted);
        this.acknowledge(accepted, flow);
      },
    });
    return this.#took(response);
  }

  /**
   * Ends the dialog, once; later calls get the same promise. Waits for the ACK of our 2xx first (RFC 3261 §15). A connection
   * that fails is dialled again once. Resolves with the answer, undefined when none came or the dialog was over. Never rejects.
   */
  bye(options: DialogRequestOptions = {}): Promise<SipResponse | undefined> {
    this.#bye ??= this.#ended ? Promise.resolve(undefined) : this.#sayBye(options);
    return this.#bye;
  }

  /** Acknowledges a 2xx, again for each of its copies (RFC 3261 §13.2.2.4); for the user agent. */
  acknowledge(response: SipResponse, flow: Flow): void {
    const cseq = response.cseq.number;
    const send = async (): Promise<void> => {
      const on = flow.reliable && !flow.closed ? flow : await this.#outbound();
      if (this.#ack?.cseq !== cseq) {
        const { request } = requestInDialog(this.#state, 'ACK', { cseq });
        this.#ack = { cseq, request: this.#core.layer.withVia(request, on) };
      }
      await this.#core.layer.sendStateless(this.#ack.request, on);
    };
    // A lost ACK is asked for by the next copy of the 2xx.
    send().catch(() => undefined);
  }

  /** Sends our 2xx and repeats it until its ACK; for IncomingInvite. */
  accepted(invite: IncomingInvite, transaction: ServerTransaction, response: SipResponse): void {
    void transaction.respond(response);
    this.#acknowledgements.await(transaction, response, {
      onAck: (ack) => this.#core.layer.protect(() => invite.emit('ack', ack)),
      // RFC 3261 §13.3.1.4: without ACK the session is to be ended.
      onGaveUp: () => void this.#lost(),
    });
  }

  /** Keeps the peer's requests back until the next turn, so that whoever gets the dialog can listen; for the user agent. */
  hold(): void {
    this.#held = [];
    setImmediate(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const transaction of held) this.#core.layer.protect(() => this.receive(transaction), transaction);
    });
  }

  /** The ACK of one of our 2xx; for the user agent. */
  receiveAck(ack: SipRequest): void {
    this.#acknowledgements.received(ack);
  }

  /** A request of the peer within this dialog; for the user agent. */
  receive(transaction: ServerTransaction): void {
    if (this.#held !== undefined) {
      this.#held.push(transaction);
      return;
    }
    const { request } = transaction;
    // Both sides may hang up at once; the peer's BYE is right all the same.
    if (this.#over) {
      this.#answer(transaction, request.method === 'BYE' ? 200 : 481);
      return;
    }
    const taken = receiveInDialog(this.#state, request);
    if (taken.dialog === undefined) {
      this.#answer(transaction, taken.refuse);
      return;
    }
    const refusal = refusalOf(this.#core, request) ?? (request.method === 'INVITE' ? this.#glare() : undefined);
    if (refusal !== undefined) {
      // Refused, it refreshes nothing, but its number is used.
      this.#state = { ...this.#state, remoteCseq: request.cseq.number };
      this.#answer(transaction, refusal.status, refusal.headers);
      return;
    }
    this.#state = taken.dialog;
    this.#deliver(transaction);
  }

  /** The connection of the dialog is gone; for the user agent. */
  flowClosed(): void {
    this.#core.layer.protect(() => this.emit('flowClosed'));
  }

  /** Ends without a word to the peer; for the user agent. */
  dispose(): void {
    this.#end('error');
  }

  #deliver(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.method === 'BYE') {
      this.#answer(transaction, 200);
      // RFC 3261 §15.1.2: what is still pending is answered 487.
      if (this.#incoming !== undefined) this.#answer(this.#incoming, 487);
      this.#core.layer.protect(() => this.emit('bye', request));
      this.#end('remote');
      return;
    }
    if (request.method === 'INVITE') {
      const invite = new IncomingInvite(this.#core, transaction, this);
      this.#incoming = transaction;
      if (!this.emit('reinvite', invite)) this.#answer(transaction, 488);
      return;
    }
    if (this.emit('request', new IncomingRequest(this.#core, transaction))) return;
    this.#answer(transaction, request.method === 'OPTIONS' ? 200 : request.method === 'UPDATE' ? 488 : 501);
  }

  /** Two INVITEs at once, RFC 3261 §14.2. */
  #glare(): Refusal | undefined {
    if (this.#outgoing !== undefined) return { status: 491 };
    if (this.#incoming?.pending) {
      return { status: 500, headers: new Headers([['Retry-After', String(Math.floor(Math.random() * 11))]]) };
    }
    return undefined;
  }

  #answer(transaction: ServerTransaction, status: number, headers?: Headers): void {
    void transaction.respond(answer(this.#core, transaction, status, { headers }));
  }

  async #outbound(signal?: AbortSignal): Promise<Flow> {
    const flow = await this.#path.outbound(this.#state, signal);
    this.#core.dialogs.place(this);
    return flow;
  }

  async #send(method: string, options: DialogRequestOptions): Promise<ClientTransaction> {
    if (options.signal?.aborted) throw cancelled();
    if (this.#over) throw new SipError('dialog-gone', `${method}: the dialog is over`);
    const flow = await this.#outbound(options.signal);
    if (this.#over) throw new SipError('dialog-gone', `${method}: the dialog is over`);
    const transaction = this.#sendOn(flow, method, options);
    if (isOfSession(method)) transaction.once('timeout', () => this.#lost());
    return transaction;
  }

  #sendOn(flow: Flow, method: string, content: Content): ClientTransaction {
    const headers = requestHeaders(this.#core, method, content);
    const { dialog, request } = requestInDialog(this.#state, method, { headers, body: bodyOf(content) });
    this.#state = dialog;
    return this.#core.layer.request(request, flow);
  }

  #took(response: SipResponse): SipResponse {
    this.#state = responseInDialog(this.#state, response);
    if (!endsSession(response.cseq.method, response.status)) return response;
    if (response.status === 481) this.#end('error');
    else this.#lost();
    return response;
  }

  /** The peer does not answer, or someone before it does: it is told goodbye all the same, RFC 3261 §12.2.1.2. */
  #lost(): void {
    // Whoever called bye() already says it himself, once nothing is to be waited for.
    if (this.#ended || this.#bye !== undefined) return;
    this.#bye = this.#hangUp({}).catch(() => undefined);
    this.#end('error');
  }

  async #sayBye(options: DialogRequestOptions): Promise<SipResponse | undefined> {
    await this.#acknowledgements.done();
    if (this.#ended) return undefined;
    try {
      return await this.#hangUp(options);
    } catch {
      return undefined;
    } finally {
      this.#end('local');
    }
  }

  async #hangUp(options: DialogRequestOptions, again = true): Promise<SipResponse> {
    const flow = await this.#outbound(options.signal);
    const transaction = this.#sendOn(flow, 'BYE', options);
    this.#state = { ...this.#state, state: 'terminated' };
    try {
      return await finalResponse(transaction, this.#core.layer.clock, options);
    } catch (error) {
      if (!again || this.#ended || !(error instanceof SipError) || error.code !== 'transport-failed') throw error;
      return this.#hangUp(options, false);
    }
  }

  #end(reason: 'local' | 'remote' | 'error'): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#state = { ...this.#state, state: 'terminated' };
    this.#acknowledgements.stop();
    this.#core.dialogs.remove(this);
    this.#core.layer.protect(() => this.emit('ended', reason));
  }
}
