// The dialogs that the edge keeps for its clients, found by the id that applications know or by a message from the network.
import { type DialogState, dialogId, dialogIdOf, newTag, type SipMessage } from '@sidestream/sip';
import { formatDialogId } from './meta.js';

/** What the book needs to know of a dialog; O is whoever owns it. */
export interface BookedDialog<O> {
  /** What applications call it; given out by the book. */
  readonly id: string;
  readonly owner: O;
  /** Its Call-ID and tags may only change while the dialog is not in the book. */
  readonly state: DialogState;
}

/**
 * A bounded set of dialogs. Applications know a dialog by drachtio's id, which holds the creator's tag only; the network
 * by Call-ID, local tag and remote tag (RFC 3261 §12). When a call of ours comes back to us (a spiral), both its ends have the
 * same drachtio id and only the second key tells them apart.
 */
export class DialogBook<O, D extends BookedDialog<O>> {
  readonly #byId = new Map<string, D>();
  readonly #byTags = new Map<string, D>();
  readonly #reserved = new Set<string>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byTags.size;
  }

  get full(): boolean {
    return this.size >= this.#capacity;
  }

  /**
   * An id for the dialog that an INVITE may create: drachtio's, or that with a suffix where another dialog or INVITE has
   * it already. It stays reserved until `releaseId`; applications give it back as they got it.
   */
  reserveId(callId: string, fromTag: string): string {
    const usual = formatDialogId(callId, fromTag);
    const id = this.#reserved.has(usual) || this.#byId.has(usual) ? `${usual};leg=${newTag()}` : usual;
    this.#reserved.add(id);
    return id;
  }

  /** The INVITE is over: from now on only a dialog holds the id. */
  releaseId(id: string): void {
    this.#reserved.delete(id);
  }

  /**
   * Enters a dialog, or puts it before the others with its id: the early dialogs of a fork share one, and applications
   * speak in the one that was entered last.
   */
  add(dialog: D): void {
    this.#byId.set(dialog.id, dialog);
    this.#byTags.set(dialogId(dialog.state), dialog);
  }

  get(id: string): D | undefined {
    return this.#byId.get(id);
  }

  /** Whether this dialog, and no other with its key, is in the book. */
  has(dialog: D): boolean {
    return this.#byTags.get(dialogId(dialog.state)) === dialog;
  }

  /** The dialog of a message from the network (RFC 3261 §12.2.2: Call-ID, our tag and theirs). */
  findFor(message: SipMessage): D | undefined {
    return this.#byTags.get(dialogIdOf(message));
  }

  /** Removes a dialog, and no other one with the same key. */
  remove(dialog: D): void {
    if (this.#byId.get(dialog.id) === dialog) this.#byId.delete(dialog.id);
    const tags = dialogId(dialog.state);
    if (this.#byTags.get(tags) === dialog) this.#byTags.delete(tags);
  }

  /** Removes all dialogs of an owner and returns them. */
  removeOwnedBy(owner: O): D[] {
    const orphans = [...this.#byTags.values()].filter((dialog) => dialog.owner === owner);
    for (const orphan of orphans) this.remove(orphan);
    return orphans;
  }
}
