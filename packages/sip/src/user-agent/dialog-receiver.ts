// The peer's requests within a dialog (RFC 3261 §12.2.2, §14.2): which are refused, and who is told of the others.
import { receiveInDialog } from '../dialog/dialog-requests.js';
import type { Headers } from '../message/headers.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import { IncomingInvite } from './incoming-invite.js';
import { answer, IncomingRequest } from './incoming-request.js';
import type { LiveDialog } from './live-dialog.js';
import { refusalOf } from './request-checks.js';
import type { UaDialog } from './ua-dialog.js';

// What is answered where nobody listens.
const unheard: ReadonlyMap<string, number> = new Map([
  ['OPTIONS', 200],
  ['UPDATE', 488],
  ['REFER', 603],
  ['NOTIFY', 481],
]);

/** Takes the requests of the peer; what they mean is told by the events of the dialog. */
export class DialogReceiver {
  /** PRACKs belong to this INVITE. */
  awaitsPrack: IncomingInvite | undefined;
  readonly #live: LiveDialog;
  readonly #dialog: UaDialog;
  #held: ServerTransaction[] | undefined;

  constructor(live: LiveDialog, dialog: UaDialog) {
    this.#live = live;
    this.#dialog = dialog;
  }

  /** Keeps requests back until the next turn. */
  hold(): void {
    if (this.#held !== undefined) return;
    this.#held = [];
    setImmediate(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const transaction of held) this.#live.core.layer.protect(() => this.receive(transaction), transaction);
    });
  }

  receive(transaction: ServerTransaction): void {
    if (this.#held !== undefined) {
      this.#held.push(transaction);
      return;
    }
    const live = this.#live;
    const { request } = transaction;
    // Both sides may hang up at once; the peer's BYE is right all the same.
    if (live.over) {
      this.#answer(transaction, request.method === 'BYE' ? 200 : 481);
      return;
    }
    const taken = receiveInDialog(live.state, request);
    if (taken.dialog === undefined) {
      this.#answer(transaction, taken.refuse);
      return;
    }
    const refusal = refusalOf(live.core, request) ?? live.offers.collision(request);
    if (refusal !== undefined) {
      // Refused, it refreshes nothing, but its number is used.
      live.state = { ...live.state, remoteCseq: request.cseq.number };
      this.#answer(transaction, refusal.status, refusal.headers);
      return;
    }
    live.state = taken.dialog;
    this.#deliver(transaction);
  }

  #deliver(transaction: ServerTransaction): void {
    const { core, offers, refers, state } = this.#live;
    const { request } = transaction;
    switch (request.method) {
      case 'BYE':
        this.#answer(transaction, 200);
        // RFC 3261 §15.1.2: what is still pending is answered 487.
        for (const pending of offers.unanswered) this.#answer(pending, 487);
        core.layer.protect(() => this.#dialog.emit('bye', request));
        this.#dialog.dispose('remote');
        return;
      case 'INVITE': {
        offers.receive(transaction);
        const heard = this.#dialog.emit('reinvite', new IncomingInvite(core, transaction, this.#dialog));
        if (!heard) this.#answer(transaction, 488);
        return;
      }
      case 'PRACK':
        if (this.awaitsPrack === undefined) this.#answer(transaction, 481);
        else this.awaitsPrack.receivePrack(transaction);
        return;
      case 'NOTIFY': {
        const progress = refers.receive(request);
        if (progress === undefined) break;
        this.#answer(transaction, typeof progress === 'number' ? progress : 200);
        if (typeof progress !== 'number') core.layer.protect(() => this.#dialog.emit('referProgress', progress));
        return;
      }
      case 'UPDATE':
        offers.receive(transaction);
        break;
    }
    const contact = request.method === 'UPDATE' ? state.localContact : undefined;
    if (this.#dialog.emit('request', new IncomingRequest(core, transaction, contact))) return;
    this.#answer(transaction, unheard.get(request.method) ?? 501);
  }

  #answer(transaction: ServerTransaction, status: number, headers?: Headers): void {
    void transaction.respond(answer(this.#live.core, transaction, status, { headers }));
  }
}
