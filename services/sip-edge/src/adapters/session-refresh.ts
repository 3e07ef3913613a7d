// The session timer of one dialog at work (RFC 4028): the edge refreshes by itself, unseen by the application, and hangs up
// a session that nobody refreshes.
import { randomInt } from 'node:crypto';
import {
  type ClientTransaction,
  formatSessionExpires,
  Headers,
  initialSessionClock,
  minSeIn,
  requestInDialog,
  responseInDialog,
  type SessionClockEffect,
  type SessionClockEvent,
  type SessionClockState,
  type SessionClockTimer,
  type SessionTimer,
  SipError,
  type SipMessage,
  type SipResponse,
  sessionAgreed,
  sessionClockStep,
  sessionRefreshHeaders,
} from '@sidestream/sip';
import type { EdgeContext } from './edge-context.js';
import type { EdgeDialog } from './edge-dialog.js';
import { type EndReason, endDialog, flowInDialog } from './in-dialog-sender.js';
import { repeatAck, sendAck } from './owed-ack.js';

type Refresh = Extract<SessionClockEffect, { type: 'refresh' }>;

const sessionExpired: EndReason = { cause: 200, text: 'Session timer expired' };

/** The session timer of a dialog; made when first needed. */
export function sessionOf(context: EdgeContext, dialog: EdgeDialog): SessionRefresh {
  dialog.session ??= new SessionRefresh(context, dialog);
  return dialog.session;
}

export class SessionRefresh {
  readonly #context: EdgeContext;
  readonly #dialog: EdgeDialog;
  readonly #timers = new Map<SessionClockTimer, unknown>();
  #state: SessionClockState = initialSessionClock;
  #stopped = false;
  #refreshing: Promise<void> | undefined;

  constructor(context: EdgeContext, dialog: EdgeDialog) {
    this.#context = context;
    this.#dialog = dialog;
  }

  get running(): SessionTimer | undefined {
    return this.#state.timer;
  }

  /** Whether a refresh of ours is on its way: no other INVITE may be sent meanwhile (RFC 3261 §14.1). */
  get isRefreshing(): boolean {
    return this.#refreshing !== undefined;
  }

  /** Resolves when it has come to its end. */
  get idle(): Promise<void> {
    return this.#refreshing ?? Promise.resolve();
  }

  /** A 2xx to an INVITE or UPDATE of either side sets the timer, or ends it. */
  agreed(timer: SessionTimer | undefined): void {
    this.#dispatch({ type: 'agreed', timer });
  }

  /** A request of the peer, or a 422, may name a Min-SE, which ours must name from then on (§7.4). */
  heard(message: SipMessage): void {
    if (!message.headers.has('Min-SE')) return;
    const seconds = tolerant(() => minSeIn(message));
    if (seconds !== undefined) this.#dispatch({ type: 'min-se', seconds });
  }

  /** Takes the response to a session refresh request of ours. */
  answered(response: SipResponse): void {
    if (response.status < 300) this.agreed(tolerant(() => sessionAgreed(response)));
    else if (response.status === 422) this.heard(response);
  }

  /** Adds to a session refresh request of the application what a running timer wants in it (§7.4). */
  complete(headers: Headers): void {
    const wanted = sessionRefreshHeaders(this.#state);
    if (wanted === undefined || headers.has('Session-Expires')) return;
    addSessionHeaders(headers, wanted);
  }

  /** Idempotent. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) this.#context.layer.clock.clearTimeout(timer);
    this.#timers.clear();
  }

  #dispatch(event: SessionClockEvent): void {
    if (this.#stopped) return;
    const { state, effects } = sessionClockStep(this.#state, event, this.#context.layer.clock.now());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SessionClockEffect): void {
    const { clock } = this.#context.layer;
    switch (effect.type) {
      case 'start-timer':
      case 'stop-timer':
        clock.clearTimeout(this.#timers.get(effect.timer));
        this.#timers.delete(effect.timer);
        if (effect.type === 'stop-timer') return;
        this.#timers.set(
          effect.timer,
          clock.setTimeout(() => this.#dispatch({ type: 'timer', timer: effect.timer }), effect.ms),
        );
        return;
      case 'refresh':
        this.#start(effect);
        return;
      case 'end':
        // endDialog reports its own failures.
        void endDialog(this.#context, this.#dialog, sessionExpired);
        return;
    }
  }

  #start(wanted: Refresh): void {
    const refreshing = this.#refresh(wanted).finally(() => {
      // A 422 has started the next one meanwhile.
      if (this.#refreshing === refreshing) this.#refreshing = undefined;
    });
    this.#refreshing = refreshing;
  }

  /** Sends the refresh and takes what comes of it. Never rejects. */
  async #refresh(wanted: Refresh): Promise<void> {
    const outcome = await this.#attempt(wanted);
    if (typeof outcome === 'number') return this.#refused(outcome);
    this.#context.metrics.message('in', 'response', outcome.cseq.method);
    this.#dialog.state = responseInDialog(this.#dialog.state, outcome);
    this.answered(outcome);
    if (outcome.status >= 300) this.#refused(outcome.status, outcome.headers.get('Retry-After'));
  }

  /** @returns the final response, or the status that stands for there being none. */
  async #attempt(wanted: Refresh): Promise<SipResponse | number> {
    const dialog = this.#dialog;
    let sent: ClientTransaction | undefined;
    // Without a description of ours there is nothing to offer again, and an UPDATE needs none (§7.4).
    const method = dialog.localSession.length > 0 ? 'INVITE' : 'UPDATE';
    try {
      await dialog.inOrder(async () => {
        if (this.#stopped || isBusy(dialog)) return;
        if (method === 'INVITE') dialog.ownInvites += 1;
        sent = await this.#send(method, wanted);
      });
      return sent === undefined ? 491 : await this.#outcome(sent);
    } catch (error) {
      this.#context.log.warn({ err: error, callId: dialog.state.callId }, 'a session could not be refreshed');
      return 503;
    } finally {
      if (method === 'INVITE' && sent !== undefined) dialog.ownInvites -= 1;
    }
  }

  async #send(method: 'INVITE' | 'UPDATE', wanted: Refresh): Promise<ClientTransaction> {
    const dialog = this.#dialog;
    const headers = new Headers();
    addSessionHeaders(headers, wanted);
    if (method === 'INVITE') headers.append('Content-Type', 'application/sdp');
    const flow = await flowInDialog(this.#context, dialog.state, dialog.flow);
    const built = requestInDialog(dialog.state, method, { headers, body: dialog.localSession });
    dialog.state = built.dialog;
    const transaction = this.#context.layer.request(built.request, flow);
    this.#context.metrics.sent(transaction);
    return transaction;
  }

  #outcome(transaction: ClientTransaction): Promise<SipResponse | number> {
    return new Promise((resolve) => {
      transaction.on('final', (response) => {
        if (response.status < 300 && transaction.request.method === 'INVITE') this.#acknowledge(response);
        resolve(response);
      });
      transaction.once('timeout', () => resolve(408));
      transaction.once('transportError', () => resolve(503));
      transaction.once('terminated', () => resolve(503));
    });
  }

  /** The first 2xx gets its ACK, a copy of it the same one. */
  #acknowledge(response: SipResponse): void {
    const dialog = this.#dialog;
    const { number } = response.cseq;
    if (dialog.ack?.cseq === number) return void repeatAck(this.#context, dialog, response);
    sendAck(this.#context, dialog, number).catch((error: unknown) => {
      this.#context.log.warn({ err: error, callId: dialog.state.callId }, 'an ACK could not be sent');
    });
  }

  #refused(status: number, retryAfter?: string): void {
    const seconds = /^\d{1,4}/.exec(retryAfter ?? '')?.[0];
    const retryMs = status === 491 ? glareMs(this.#dialog) : seconds && Number(seconds) * 1_000;
    this.#dispatch({ type: 'refused', status, retryMs: retryMs || undefined });
  }
}

/** Whether something is under way in the dialog that a re-INVITE would collide with (RFC 3261 §14.1). */
function isBusy({ ownInvites, peerInvite, peerUpdate, owedAck, unacknowledged, closing }: EdgeDialog): boolean {
  const theirs = peerInvite !== undefined || peerUpdate !== undefined || unacknowledged.size > 0;
  return theirs || ownInvites > 0 || owedAck !== undefined || closing;
}

/** RFC 3261 §14.1: who chose the Call-ID waits for 2.1 to 4 s, the other one for up to 2 s; in steps of 10 ms. */
function glareMs({ state }: EdgeDialog): number {
  return state.role === 'uac' ? randomInt(210, 401) * 10 : randomInt(1, 201) * 10;
}

function addSessionHeaders(headers: Headers, wanted: NonNullable<ReturnType<typeof sessionRefreshHeaders>>): void {
  headers.set('Session-Expires', formatSessionExpires(wanted.sessionExpires));
  if (wanted.minSe !== undefined) headers.set('Min-SE', String(wanted.minSe));
  headers.append('Supported', 'timer');
}

/** What a peer writes wrongly into these headers counts as not written. */
function tolerant<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SipError) return undefined;
    throw error;
  }
}
