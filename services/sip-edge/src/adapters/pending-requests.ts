// Requests from the network that wait for an application's final answer.
import { randomUUID } from 'node:crypto';
import type { Clock, ReliableResponses, ServerTransaction, TimerValues } from '@sidestream/sip';
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
  /** All further responses to an INVITE go through it once there was a reliable one (RFC 3262). */
  reliable: ReliableResponses | undefined;
  /** Frame of the application's final response, while that waits for a PRACK. */
  heldFrame: string | undefined;
  /** Ends the wait for the application. */
  stopWaiting: () => void;
}

export interface PendingRequestsOptions {
  readonly clock: Clock;
  readonly timers: TimerValues;
  /** How long a call may ring after the application's last provisional response. */
  readonly ringingDeadlineMs: number;
  /** The application has said nothing, or nothing more, in time. */
  onSilence(pending: PendingRequest): void;
  /** A request is no longer pending, for whatever reason. */
  onSettled(pending: PendingRequest): void;
}

/** Refuses a response that nothing waits for; the words are drachtio-server's. */
export const unknownTransaction = 'Response not sent due to unknown transaction';

/** An application has this long for its first response to an INVITE: 128*T1 = 64 s, as drachtio-server gives it. */
const inviteDeadlineT1s = 128;
/** The client of another request gives up after Timer F: what was said then would not be heard. */
const otherDeadlineT1s = 63;

export class PendingRequests {
  readonly #options: PendingRequestsOptions;
  readonly #pending = new Map<string, PendingRequest>();

  constructor(options: PendingRequestsOptions) {
    this.#options = options;
  }

  open(init: PendingRequestInit): PendingRequest {
    const pending: PendingRequest = {
      ...init,
      transactionId: randomUUID(),
      answered: false,
      reliable: undefined,
      heldFrame: undefined,
      stopWaiting: () => undefined,
    };
    const deadlineT1s = isInvite(pending) ? inviteDeadlineT1s : otherDeadlineT1s;
    this.#wait(pending, this.#options.timers.t1 * deadlineT1s);
    this.#pending.set(pending.transactionId, pending);
    return pending;
  }

  /** The application has given a provisional response: a call may go on ringing (RFC 3261 §13.3.1.1). */
  heard(pending: PendingRequest): void {
    pending.answered = true;
    if (isInvite(pending)) this.#wait(pending, this.#options.ringingDeadlineMs);
  }

  /** The request of a transaction id that waits for this application; undefined once it has its final answer. */
  find(client: AdminClient, transactionId: string): PendingRequest | undefined {
    const pending = this.#pending.get(transactionId);
    return pending?.client === client ? pending : undefined;
  }

  isOpen(pending: PendingRequest): boolean {
    return this.#pending.get(pending.transactionId) === pending;
  }

  /** All that fulfil a condition; the list stays as it is while they are settled. */
  which(condition: (pending: PendingRequest) => boolean): PendingRequest[] {
    return [...this.#pending.values()].filter(condition);
  }

  /** The request has its final answer. Idempotent. */
  settle(pending: PendingRequest): void {
    pending.stopWaiting();
    if (!this.#pending.delete(pending.transactionId)) return;
    const { dialog, transaction } = pending;
    const { number } = transaction.request.cseq;
    if (isInvite(pending) && dialog?.peerInvite === number) dialog.peerInvite = undefined;
    if (transaction.request.method === 'UPDATE' && dialog?.peerUpdate === number) dialog.peerUpdate = undefined;
    dialog?.offers.settledByUs(number);
    this.#options.onSettled(pending);
  }

  #wait(pending: PendingRequest, ms: number): void {
    const { clock, onSilence } = this.#options;
    pending.stopWaiting();
    const timer = clock.setTimeout(() => onSilence(pending), ms);
    pending.stopWaiting = () => clock.clearTimeout(timer);
  }
}

/** An INVITE outside or inside a dialog: only its answer may take longer than a transaction. */
export function isInvite({ transaction }: PendingRequest): boolean {
  return transaction.request.method === 'INVITE';
}
