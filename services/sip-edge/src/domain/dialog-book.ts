// The dialogs that the edge keeps for its clients, found by drachtio's dialog id or by a request from the network.
import { type DialogState, type SipRequest, tagOf } from '@sidestream/sip';
import { formatDialogId } from './meta.js';

/** What the book needs to know of a dialog; O is whoever owns it. */
export interface BookedDialog<O> {
  readonly id: string;
  readonly owner: O;
  readonly state: DialogState;
}

/** A bounded set of dialogs, one for each id. */
export class DialogBook<O, D extends BookedDialog<O>> {
  readonly #dialogs = new Map<string, D>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#dialogs.size;
  }

  get full(): boolean {
    return this.#dialogs.size >= this.#capacity;
  }

  /** Enters a dialog. An id that is there already is replaced: the newer dialog is the one that the owner means. */
  add(dialog: D): void {
    this.#dialogs.set(dialog.id, dialog);
  }

  get(id: string): D | undefined {
    return this.#dialogs.get(id);
  }

  /**
   * The dialog of a request from the network (RFC 3261 §12.2.2: Call-ID, To tag = ours, From tag = theirs). The id holds
   * the tag of whoever created the dialog, so there are two places to look.
   */
  findFor(request: SipRequest): D | undefined {
    const remoteTag = tagOf(request.from);
    const localTag = tagOf(request.to);
    if (localTag === undefined) return undefined;
    for (const creatorTag of [remoteTag ?? '', localTag]) {
      const dialog = this.#dialogs.get(formatDialogId(request.callId, creatorTag));
      if (dialog?.state.localTag === localTag && dialog.state.remoteTag === (remoteTag ?? '')) return dialog;
    }
    return undefined;
  }

  /** Removes a dialog; a newer one with the same id stays. */
  remove(dialog: D): void {
    if (this.#dialogs.get(dialog.id) === dialog) this.#dialogs.delete(dialog.id);
  }

  /** Removes all dialogs of an owner and returns them. */
  removeOwnedBy(owner: O): D[] {
    const orphans = [...this.#dialogs.values()].filter((dialog) => dialog.owner === owner);
    for (const orphan of orphans) this.#dialogs.delete(orphan.id);
    return orphans;
  }
}
