// Requests from the network that wait for an application's final answer.
import { randomUUID } from 'node:crypto';
import type { Clock, ServerTransaction, TimerValues } from '@sidestream/sip';
import type { LocalAddress } from '../domain/local-address.js';
import type { AdminClient } from './admin-client.js';
import type { EdgeDialog } from './edge-dialog.js';

export interface PendingRequestInit {
  readonly transaction: ServerTransaction;
  readonly client: AdminClient;
  readonly local: LocalAddress;
  /** Of the dialog that it is in or may create; empty for other requests. */
  readonly dialogId: string;
  /** The dialog, once there is one. */
  readonly dialog: EdgeDialog | undefined;
}

export interface PendingRequest extends Omit<PendingRequestInit, 'dialog'> {
  readonly transactionId: string;
  dialog: EdgeDialog | undefined;
  /** The application has given a response. */
  answered: boolean;
  /** Ends the wait for the application. */
  readonly stopWaiting: () => void;
}

/** An application has this long for its first response to an INVITE: 128*T1 = 64 s, as drachtio-server gives it. */
const inviteDeadlineT1s = 128;
/** The client of another request gives up after Timer F: what was said then would not be heard. */
const otherDeadlineT1s = 63;

export class PendingRequests {
  readonly #clock: Clock;
  readonly #timers: TimerValues;
  readonly #onSilence: (pending: PendingRequest) => void;
  readonly #pending = new Map<string, PendingRequest>();
  /** Initial INVITEs by dialog id, to see merged requests (RFC 3261 §8.2.2.2). */
  readonly #invites = new Map<string, PendingRequest>();

  /** @param onSilence called when an application has said nothing in time. */
  constructor(clock: Clock, timers: TimerValues, onSilence: (pending: PendingRequest) => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#onSilence = onSilence;
  }

  open(init: PendingRequestInit): PendingRequest {
    const isInvite = init.transaction.request.method === 'INVITE';
    const timer = this.#clock.setTimeout(
      () => {
        if (!pending.answered) this.#onSilence(pending);
      },
      this.#timers.t1 * (isInvite ? inviteDeadlineT1s : otherDeadlineT1s),
    );
    const stopWaiting = () => this.#clock.clearTimeout(timer);
    const pending: PendingRequest = { ...init, transactionId: randomUUID(), answered: false, stopWaiting };
    this.#pending.set(pending.transactionId, pending);
    if (isInvite && init.dialog === undefined) this.#invites.set(init.dialogId, pending);
    return pending;
  }

  /** The request of a transaction id that waits for this application; undefined once it has its final answer. */
  find(client: AdminClient, transactionId: string): PendingRequest | undefined {
    const pending = this.#pending.get(transactionId);
    return pending?.client === client ? pending : undefined;
  }

  isOpen(pending: PendingRequest): boolean {
    return this.#pending.get(pending.transactionId) === pending;
  }

  /** Whether an INVITE that would create this dialog waits already. */
  hasInvite(dialogId: string): boolean {
    return this.#invites.has(dialogId);
  }

  /** All that fulfil a condition; the list stays as it is while they are settled. */
  which(condition: (pending: PendingRequest) => boolean): PendingRequest[] {
    return [...this.#pending.values()].filter(condition);
  }

  /** The request has its final answer. Idempotent. */
  settle(pending: PendingRequest): void {
    pending.stopWaiting();
    this.#pending.delete(pending.transactionId);
    if (this.#invites.get(pending.dialogId) === pending) this.#invites.delete(pending.dialogId);
    const { dialog, transaction } = pending;
    if (transaction.request.method !== 'INVITE' || dialog === undefined) return;
    if (dialog.peerInvite === transaction.request.cseq.number) dialog.peerInvite = undefined;
  }
}
