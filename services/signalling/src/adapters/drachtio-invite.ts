// An INVITE from a trunk that has no final response yet, as the domain's IncomingInvite.
import { type Logger, SidestreamError } from '@sidestream/service';
import { raced } from '../domain/deadline.js';
import type { IncomingInvite, Leg } from '../domain/ports.js';
import type { Srf, SrfDialog, SrfHeaders, SrfRequest, SrfResponse } from './drachtio-contract.js';
import { DrachtioLeg, type LegEdge } from './drachtio-leg.js';
import { sdpOf, sendResponse } from './drachtio-message.js';

export class DrachtioInvite implements IncomingInvite {
  readonly receivedAtMs: number;
  readonly #srf: Pick<Srf, 'createUAS'>;
  readonly #request: SrfRequest;
  readonly #response: SrfResponse;
  readonly #edge: LegEdge;
  readonly #log: Logger;
  readonly #cancelled = new AbortController();

  constructor(
    srf: Pick<Srf, 'createUAS'>,
    request: SrfRequest,
    response: SrfResponse,
    options: { edge: LegEdge; receivedAtMs: number; log: Logger },
  ) {
    this.#srf = srf;
    this.#request = request;
    this.#response = response;
    this.#edge = options.edge;
    this.receivedAtMs = options.receivedAtMs;
    this.#log = options.log;
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
    const body = sdp === undefined ? {} : { body: sdp, headers: { 'Content-Type': 'application/sdp' } };
    await this.#send(status, body);
  }

  async accept(sdp: string): Promise<Leg> {
    const accepted = new Promise<Leg>((resolve, reject) => {
      let over = false;
      const done = (error: unknown, dialog?: SrfDialog) => {
        // createUAS may call back twice when CANCEL and 200 cross; a dialog that comes second is nobody's.
        if (over) dialog?.destroy({}, () => {});
        else if (dialog) resolve(new DrachtioLeg(dialog, this.#edge, this.#log));
        else reject(new SidestreamError('cancelled', `200 not sent: ${String(error)}`, { cause: error }));
        over = true;
      };
      const options = { localSdp: sdp, headers: { 'Content-Type': 'application/sdp' } };
      this.#srf.createUAS(this.#request, this.#response, options, done);
    });
    return raced(accepted, this.#edge.lost);
  }

  async refuse(status: number, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.#cancelled.signal.aborted) return;
    await this.#send(status, { headers: { ...headers } });
  }

  async #send(status: number, options: { headers?: SrfHeaders; body?: string }): Promise<void> {
    try {
      await sendResponse(this.#response, status, options, this.#edge.lost);
    } catch (error) {
      this.#log.debug({ err: error, status }, 'a response could not be sent');
    }
  }
}
