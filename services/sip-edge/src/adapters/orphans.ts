// Calls whose application has gone: after a grace they are hung up, so that nobody talks on in a call that nothing
// steers. The dialogs are no longer in the book: what the peers send in them gets 481.
import type { EdgeContext } from './edge-context.js';
import type { EdgeDialog } from './edge-dialog.js';
import { applicationGone, endDialog } from './in-dialog-sender.js';
import { sendAck } from './owed-ack.js';

/** Long enough for the answers to the BYEs of an application that hung up its calls before it left. */
export const defaultOrphanGraceMs = 5_000;

export class Orphans {
  readonly #context: EdgeContext;
  readonly #graceMs: number;
  readonly #timers = new Set<unknown>();
  #closed = false;

  constructor(context: EdgeContext, graceMs: number = defaultOrphanGraceMs) {
    this.#context = context;
    this.#graceMs = graceMs;
  }

  /** Takes over the dialogs of one application. */
  adopt(dialogs: readonly EdgeDialog[]): void {
    for (const dialog of dialogs) this.#silence(dialog);
    const confirmed = dialogs.filter(({ state }) => state.state === 'confirmed');
    if (this.#closed || confirmed.length === 0) return;
    const { clock } = this.#context.layer;
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      // The application's own BYE is on its way: it ends the dialog.
      const live = confirmed.filter(({ byeSent }) => !byeSent);
      for (const dialog of live) void endDialog(this.#context, dialog, applicationGone);
    }, this.#graceMs);
    this.#timers.add(timer);
  }

  /** Forgets all of them: an edge that stops has no more time. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) this.#context.layer.clock.clearTimeout(timer);
    this.#timers.clear();
  }

  #silence(dialog: EdgeDialog): void {
    const { owedAck } = dialog;
    dialog.dispose();
    if (owedAck === undefined || this.#closed) return;
    // RFC 3261 §13.2.2.4: every 2xx is acknowledged, also that of a call which will be hung up.
    sendAck(this.#context, dialog, owedAck.cseq).catch((error: unknown) => {
      this.#context.log.warn({ err: error, callId: dialog.state.callId }, 'an ACK could not be sent');
    });
  }
}
