// An INVITE from a trunk that has no final response yet, as the domain's IncomingInvite.
import { type Logger, SidestreamError } from '@sidestream/service';
import type { DigestLogin } from '@sidestream/sip';
import { raced, within } from '../domain/deadline.js';
import type { IncomingInvite, Leg, SipFields } from '../domain/ports.js';
import type { Srf, SrfDialog, SrfHeaders, SrfRequest, SrfResponse } from './drachtio-contract.js';
import { DrachtioLeg, type LegEdge } from './drachtio-leg.js';
import { fieldsOf, sdpOf, sendResponse } from './drachtio-message.js';
import { allowed } from './drachtio-screen.js';

/** Without a PRACK for that long the edge gives the call up (RFC 3262 §3: 64*T1). */
const prackDeadlineMs = 33_000;

export interface DrachtioInviteOptions {
  readonly edge: LegEdge;
  readonly receivedAtMs: number;
  readonly log: Logger;
  /** A new login with a trunk's credentials; undefined where it has none. */
  loginOf(trunk: string): DigestLogin | undefined;
}

export class DrachtioInvite implements IncomingInvite {
  readonly receivedAtMs: number;
  readonly #srf: Pick<Srf, 'createUAS'>;
  readonly #request: SrfRequest;
  readonly #response: SrfResponse;
  readonly #edge: LegEdge;
  readonly #log: Logger;
  readonly #loginOf: DrachtioInviteOptions['loginOf'];
  readonly #cancelled = new AbortController();
  readonly #refused = new AbortController();
  /** Resolves when the last reliable provisional response has its PRACK, or will have none. */
  #acknowledged: Promise<void> = Promise.resolve();

  constructor(srf: Pick<Srf, 'createUAS'>, request: SrfRequest, response: SrfResponse, options: DrachtioInviteOptions) {
    this.#srf = srf;
    this.#request = request;
    this.#response = response;
    this.#edge = options.edge;
    this.receivedAtMs = options.receivedAtMs;
    this.#log = options.log;
    this.#loginOf = options.loginOf;
    request.on('cancel', () => this.#cancelled.abort(new SidestreamError('cancelled', 'the caller sent CANCEL')));
  }

  get sipCallId(): string {
    return this.header('call-id') ?? '';
  }

  get source(): { address: string; port: number } {
    return { address: this.#request.source_address, port: Number(this.#request.source_port) };
  }

  get requestUri(): string {
    return this.#request.uri;
  }

  get sdp(): string {
    return sdpOf(this.#request);
  }

  get cancelled(): AbortSignal {
    return this.#cancelled.signal;
  }

  header(name: string): string | undefined {
    return this.#request.get(name);
  }

  async ring(status: number, sdp: string | undefined): Promise<void> {
    const description = sdp === undefined ? {} : { body: sdp };
    const contentType = sdp === undefined ? {} : { 'Content-Type': 'application/sdp' };
    if (!this.#mustBeReliable) {
      await this.#send(status, { ...description, headers: contentType });
      return;
    }
    // RFC 3261 §13.2.1: the first reliable response would have to carry the offer, which comes with the far side's 200 only.
    if (this.sdp === '') return;
    // One at a time (RFC 3262 §3): the library would lose track of the PRACKs.
    await this.#acknowledged;
    let onPrack = (): void => {};
    const acknowledged = new Promise<void>((resolve) => {
      onPrack = resolve;
    });
    const headers = { ...contentType, Require: '100rel' };
    if (await this.#send(status, { ...description, headers }, onPrack))
      this.#acknowledged = this.#bounded(acknowledged);
  }

  accept(sdp: string, trunk: string): Promise<Leg> {
    return this.#accept(sdp, trunk);
  }

  async acceptWithOffer(sdp: string, trunk: string): Promise<{ leg: Leg; answer: Promise<string> }> {
    const leg = await this.#accept(sdp, trunk);
    return { leg, answer: leg.answerInAck() };
  }

  async #accept(sdp: string, trunk: string): Promise<DrachtioLeg> {
    // drachtio-server tells of the 200 before the PRACK that it waits for, and the library then answers 501 to that PRACK.
    await this.#acknowledged;
    const login = trunk === undefined ? undefined : this.#loginOf(trunk);
    const accepted = new Promise<DrachtioLeg>((resolve, reject) => {
      let over = false;
      const done = (error: unknown, dialog?: SrfDialog) => {
        // createUAS may call back twice when CANCEL and 200 cross; a dialog that comes second is nobody's.
        if (over) dialog?.destroy({}, () => {});
        else if (dialog) resolve(new DrachtioLeg(dialog, this.header('supported'), this.#edge, this.#log, login));
        else reject(new SidestreamError('cancelled', `200 not sent: ${String(error)}`, { cause: error }));
        over = true;
      };
      const options = {
        localSdp: sdp,
        headers: { ...allowed, Supported: 'replaces', 'Content-Type': 'application/sdp' },
      };
      this.#srf.createUAS(this.#request, this.#response, options, done);
    });
    return raced(accepted, this.#edge.lost);
  }

  async refuse(status: number, headers: SipFields = {}): Promise<void> {
    this.#refused.abort();
    if (this.#cancelled.signal.aborted) return;
    await this.#send(status, { headers: fieldsOf(headers) });
  }

  /** RFC 3262 §3: every 101-199 must be reliable for a caller who requires 100rel; who only supports it gets them as usual. */
  get #mustBeReliable(): boolean {
    return /(^|,)\s*100rel\s*(,|$)/i.test(this.header('require') ?? '');
  }

  /** Resolves with what is awaited, or when there is nothing more to wait for. */
  async #bounded(acknowledged: Promise<void>): Promise<void> {
    const over = within(this.cancelled, prackDeadlineMs);
    await raced(acknowledged, over, this.#refused.signal, this.#edge.lost).catch(() => {});
  }

  /** False when it could not be sent. */
  async #send(
    status: number,
    options: { headers?: SrfHeaders; body?: string },
    onPrack?: () => void,
  ): Promise<boolean> {
    try {
      await sendResponse(this.#response, status, options, this.#edge.lost, onPrack);
      return true;
    } catch (error) {
      this.#log.debug({ err: error, status }, 'a response could not be sent');
      return false;
    }
  }
}
