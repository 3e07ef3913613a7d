// A REFER within a dialog as the domain's IncomingReferral: its response, and the NOTIFYs of the subscription that it makes.
import { formatSipfrag, referState, sipfragType, wantsNotifications } from '@sidestream/sip';
import { within } from '../domain/deadline.js';
import type { IncomingReferral } from '../domain/ports.js';
import type { SrfHeaders, SrfRequest } from './drachtio-contract.js';

export interface ReferralDialog {
  /** Sends the final response of the REFER. */
  respond(status: number, headers: SrfHeaders): void;
  /** Sends NOTIFY within the dialog; resolves with its final response, rejects without one. */
  notify(headers: SrfHeaders, body: string, signal: AbortSignal): Promise<unknown>;
}

/** Longer than the transaction's own 64*T1. */
const notifyDeadlineMs = 35_000;

export class DrachtioReferral implements IncomingReferral {
  readonly #request: SrfRequest;
  readonly #dialog: ReferralDialog;
  #subscribed = false;
  #lastsSeconds = 0;
  /** NOTIFYs go one after the other: they must not overtake each other. */
  #told: Promise<void> = Promise.resolve();
  #last = 0;

  constructor(request: SrfRequest, dialog: ReferralDialog) {
    this.#request = request;
    this.#dialog = dialog;
  }

  header(name: string): string | undefined {
    return this.#request.get(name);
  }

  accept(lastsSeconds: number): void {
    this.#lastsSeconds = lastsSeconds;
    this.#subscribed = this.#wantsNotifications;
    this.#dialog.respond(202, this.#subscribed ? {} : { 'Refer-Sub': 'false' });
  }

  refuse(status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.#dialog.respond(status, { ...headers });
  }

  notify(status: number): Promise<void> {
    // What was said already need not be said again, and nothing comes after a final status.
    if (!this.#subscribed || status === this.#last) return this.#told;
    this.#last = status;
    if (status >= 200) this.#subscribed = false;
    this.#told = this.#told.then(() => this.#tell(status));
    return this.#told;
  }

  async #tell(status: number): Promise<void> {
    // RFC 3515 §2.4.6: the id tells the REFERs of a dialog apart.
    const id = /^\s*(\d{1,10})/.exec(this.header('cseq') ?? '')?.[1];
    const headers = {
      Event: id === undefined ? 'refer' : `refer;id=${id}`,
      'Subscription-State': referState(status, this.#lastsSeconds),
      'Content-Type': sipfragType,
    };
    try {
      await this.#dialog.notify(headers, formatSipfrag(status), within(undefined, notifyDeadlineMs));
    } catch {
      // RFC 3515 §2.4.4: who does not want to hear does not take the reference back.
    }
  }

  get #wantsNotifications(): boolean {
    try {
      return wantsNotifications(this.header('refer-sub'));
    } catch {
      return true;
    }
  }
}
