// Requests from the network: which application gets them, what the edge answers by itself, ACK and CANCEL.
import { randomInt } from 'node:crypto';
import {
  createResponse,
  dialogFromRequest,
  type Flow,
  Headers,
  receiveInDialog,
  type ServerTransaction,
  SipError,
  type SipRequest,
  tagOf,
} from '@sidestream/sip';
import { formatDialogId } from '../domain/meta.js';
import type { RouteTable } from '../domain/routing.js';
import type { AdminClient } from './admin-client.js';
import { deliver } from './delivery.js';
import type { EdgeContext } from './edge-context.js';
import type { EdgeDialog } from './edge-dialog.js';
import { type PendingRequest, PendingRequests } from './pending-requests.js';

/** Why the edge answers a request by itself. */
interface Refusal {
  readonly status: number;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
}

const onlyInDialogs = new Set(['BYE', 'UPDATE', 'PRACK']);

export class ServerSide {
  readonly pending: PendingRequests;
  readonly #context: EdgeContext;
  readonly #routes: RouteTable<AdminClient>;

  constructor(context: EdgeContext, routes: RouteTable<AdminClient>) {
    const { layer } = context;
    this.#context = context;
    this.#routes = routes;
    this.pending = new PendingRequests(layer.clock, layer.timers, (pending) => this.#answer(pending, 504));
    layer.on('request', (transaction) => this.#onRequest(transaction));
    layer.on('ack', (ack, flow) => this.#onAck(ack, flow));
  }

  /** The application has gone: nobody will answer its requests. */
  abandon(client: AdminClient): void {
    for (const pending of this.pending.which((one) => one.client === client)) this.#answer(pending, 503);
  }

  #onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    this.#context.metrics.message('in', 'request', request.method);
    const isInDialog = tagOf(request.to) !== undefined;
    const refusal = isInDialog ? this.#passInDialog(transaction) : this.#passOutsideDialogs(transaction);
    if (refusal !== undefined) this.#refuse(transaction, refusal);
  }

  #passOutsideDialogs(transaction: ServerTransaction): Refusal | undefined {
    const { request, flow } = transaction;
    const { method } = request;
    if (onlyInDialogs.has(method)) return { status: 481 };
    const dialogId = method === 'INVITE' ? formatDialogId(request.callId, tagOf(request.from) ?? '') : '';
    const refusal = method === 'INVITE' ? this.#refusalOfInvite(transaction, dialogId) : undefined;
    if (refusal !== undefined) return refusal;
    const listener = this.#context.listeners.of(flow);
    const client = this.#routes.next(method.toLowerCase());
    if (client === undefined || listener === undefined) {
      return { status: 503, reason: 'No Application Takes It', retryAfterSeconds: 5 };
    }
    const { transactionId } = this.#open(transaction, client, listener.advertised, dialogId, undefined);
    const { host, port } = flow.local;
    deliver(client, request, flow, { kind: 'new-request', transactionId, localAddress: host, localPort: port });
    return undefined;
  }

  #refusalOfInvite(transaction: ServerTransaction, dialogId: string): Refusal | undefined {
    const { book } = this.#context;
    // drachtio-server lets these two through, and the application's createUAS then never answers.
    if (tagOf(transaction.request.from) === undefined) return { status: 400, reason: 'Missing From Tag' };
    if (!canMakeDialog(transaction)) return { status: 400, reason: 'Missing or Bad Contact Header' };
    if (this.pending.hasInvite(dialogId) || book.get(dialogId) !== undefined) return { status: 482 };
    return book.full ? { status: 503, retryAfterSeconds: 5 } : undefined;
  }

  #passInDialog(transaction: ServerTransaction): Refusal | undefined {
    const { request, flow } = transaction;
    const dialog = this.#context.book.findFor(request);
    if (dialog === undefined) return { status: 481 };
    // Our BYE and the peer's have crossed: both ends agree, RFC 3261 §15.1.2.
    if (dialog.closing) return { status: request.method === 'BYE' ? 200 : 481 };
    const received = receiveInDialog(dialog.state, request);
    if (received.refuse !== undefined) return { status: received.refuse };
    if (request.method === 'INVITE') {
      // RFC 3261 §14.2; drachtio-server leaves both to the application.
      if (dialog.ownInvites > 0) return { status: 491 };
      if (dialog.peerInvite !== undefined) return { status: 500, retryAfterSeconds: randomInt(0, 11) };
      dialog.peerInvite = request.cseq.number;
    }
    dialog.state = received.dialog;
    dialog.flow = flow;
    if (request.method === 'BYE') this.#end(dialog);
    const { transactionId } = this.#open(transaction, dialog.owner, dialog.local, dialog.id, dialog);
    deliver(dialog.owner, request, flow, { kind: 'in-dialog', transactionId, dialogId: dialog.id });
    return undefined;
  }

  /** The peer's BYE ends the dialog and an INVITE that is still pending in it (RFC 3261 §15.1.2). */
  #end(dialog: EdgeDialog): void {
    this.#context.book.remove(dialog);
    dialog.dispose();
    const isItsInvite = (one: PendingRequest) => one.dialog === dialog && one.transaction.request.method === 'INVITE';
    for (const pending of this.pending.which(isItsInvite)) this.#answer(pending, 487);
  }

  #open(
    transaction: ServerTransaction,
    client: AdminClient,
    local: PendingRequest['local'],
    dialogId: string,
    dialog: EdgeDialog | undefined,
  ): PendingRequest {
    const pending = this.pending.open({ transaction, client, local, dialogId, dialog });
    transaction.on('cancel', (cancel) => this.#onCancel(pending, cancel));
    transaction.on('terminated', () => this.pending.settle(pending));
    return pending;
  }

  #onCancel(pending: PendingRequest, cancel: SipRequest): void {
    if (!this.pending.isOpen(pending)) return;
    this.#context.metrics.message('in', 'request', 'CANCEL');
    const { transactionId, dialogId, answered, client, dialog, transaction } = pending;
    this.#answer(pending, 487);
    const kind = answered || dialog !== undefined ? 'in-dialog' : 'no-dialog';
    deliver(client, cancel, transaction.flow, { kind, transactionId, dialogId });
  }

  #onAck(ack: SipRequest, flow: Flow): void {
    const dialog = this.#context.book.findFor(ack);
    const answer = dialog?.unacknowledged.get(ack.cseq.number);
    // Copies of an ACK, and those for answers that nobody waits for, end here.
    if (dialog === undefined || answer === undefined) return;
    dialog.unacknowledged.delete(ack.cseq.number);
    answer.stop();
    this.#context.metrics.message('in', 'request', 'ACK');
    const { transactionId } = answer;
    deliver(dialog.owner, ack, flow, { kind: 'in-dialog', transactionId, dialogId: dialog.id });
  }

  /** The edge's own final answer to a request that an application has. */
  #answer(pending: PendingRequest, status: number): void {
    const { dialog, transaction } = pending;
    this.pending.settle(pending);
    if (dialog?.state.state === 'early') {
      this.#context.book.remove(dialog);
      dialog.dispose();
    }
    this.#refuse(transaction, { status });
  }

  #refuse(transaction: ServerTransaction, { status, reason, retryAfterSeconds }: Refusal): void {
    const { request, toTag } = transaction;
    const headers = new Headers();
    if (retryAfterSeconds !== undefined) headers.append('Retry-After', String(retryAfterSeconds));
    this.#context.metrics.message('out', 'response', request.method);
    // respond() never rejects; a response that is lost makes the peer send its request again.
    void transaction.respond(createResponse(request, status, { toTag, reason, headers }));
  }
}

/** Whether an answer to this INVITE could make a dialog: it has a Contact and routes that requests can be sent to. */
function canMakeDialog({ request, toTag }: ServerTransaction): boolean {
  try {
    dialogFromRequest(request, toTag, '<sip:edge.invalid>', 'early');
    return true;
  } catch (error) {
    if (error instanceof SipError) return false;
    throw error;
  }
}
