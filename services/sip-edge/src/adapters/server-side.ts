// Requests from the network: which application gets them, what the edge answers by itself, ACK and CANCEL.
import type { Span } from '@sidestream/service';
import { type Flow, Headers, rackIn, type ServerTransaction, SipError, type SipRequest, tagOf } from '@sidestream/sip';
import { cancelOf } from '../domain/cancel-request.js';
import { fitsMetaLine, formatDialogId } from '../domain/meta.js';
import type { RouteTable } from '../domain/routing.js';
import type { AdminClient } from './admin-client.js';
import { deliver } from './delivery.js';
import { admitInDialog } from './dialog-admission.js';
import type { EdgeContext } from './edge-context.js';
import type { EdgeDialog } from './edge-dialog.js';
import { InviteAdmission } from './invite-admission.js';
import { traceInvite } from './invite-trace.js';
import { answerAlone, type OwnAnswer, ownResponse } from './own-answer.js';
import { isInvite, type PendingRequest, PendingRequests, unknownTransaction } from './pending-requests.js';

const onlyInDialogs = new Set(['BYE', 'UPDATE', 'PRACK']);

export class ServerSide {
  readonly pending: PendingRequests;
  readonly #context: EdgeContext;
  readonly #routes: RouteTable<AdminClient>;
  readonly #admission: InviteAdmission;

  constructor(context: EdgeContext, routes: RouteTable<AdminClient>) {
    const { layer, book, ringingDeadlineMs } = context;
    this.#context = context;
    this.#routes = routes;
    this.#admission = new InviteAdmission(context);
    this.pending = new PendingRequests({
      clock: layer.clock,
      timers: layer.timers,
      ringingDeadlineMs,
      onSilence: (pending) => this.giveUp(pending, 504, 'the application does not answer'),
      onSettled: (pending) => {
        if (isInvite(pending)) book.releaseId(pending.dialogId);
      },
    });
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
    const span = traceInvite(transaction);
    const settle = this.#context.metrics.request('in', request.method, span);
    transaction.once('final', settle);
    transaction.once('terminated', () => settle('none'));
    const refusal = this.#pass(transaction, span);
    if (refusal !== undefined) answerAlone(this.#context, transaction, refusal);
  }

  #pass(transaction: ServerTransaction, span: Span | undefined): OwnAnswer | undefined {
    const { request } = transaction;
    const fits = fitsMetaLine(formatDialogId(request.callId, tagOf(request.from) ?? ''));
    // In a meta line such an id would be read as fields, and name another peer's dialog.
    if (!fits) return { status: 400, reason: 'Bad Call-ID Or From Tag' };
    return tagOf(request.to) === undefined
      ? this.#passOutsideDialogs(transaction, span)
      : this.#passInDialog(transaction);
  }

  #passOutsideDialogs(transaction: ServerTransaction, span: Span | undefined): OwnAnswer | undefined {
    const { request, flow } = transaction;
    const { method } = request;
    if (onlyInDialogs.has(method)) return { status: 481 };
    const refusal = method === 'INVITE' ? this.#admission.refusalOf(transaction) : undefined;
    if (refusal !== undefined) return refusal;
    const listener = this.#context.listeners.of(flow);
    const client = this.#routes.next(method.toLowerCase());
    if (client === undefined || listener === undefined) {
      return { status: 503, reason: 'No Application Takes It', retryAfterSeconds: 5 };
    }
    const dialogId = method === 'INVITE' ? this.#admission.enter(transaction) : '';
    const { transactionId } = this.#open(transaction, client, listener.advertised, dialogId, undefined);
    const { host, port } = flow.local;
    deliver(client, request, flow, { kind: 'new-request', transactionId, localAddress: host, localPort: port }, span);
    return undefined;
  }

  #passInDialog(transaction: ServerTransaction): OwnAnswer | undefined {
    const { request, flow } = transaction;
    const dialog = this.#context.book.findFor(request);
    if (dialog === undefined) return { status: 481 };
    if (dialog.closing) {
      if (request.method !== 'BYE') return { status: 481 };
      // Both ends hang up, RFC 3261 §15.1.2. A BYE of ours that still waits for an ACK has nothing left to end.
      this.#end(dialog);
      return { status: 200 };
    }
    const refusal = admitInDialog(dialog, request);
    if (refusal !== undefined) return refusal;
    dialog.flow = flow;
    if (request.method === 'PRACK') return this.#passPrack(transaction, dialog);
    if (request.method === 'BYE') this.#end(dialog);
    this.#handOver(transaction, dialog);
    return undefined;
  }

  /** RFC 3262 §3: a PRACK that acknowledges nothing gets 481. */
  #passPrack(transaction: ServerTransaction, dialog: EdgeDialog): OwnAnswer | undefined {
    const { request } = transaction;
    try {
      const reliable = dialog.reliable.get(rackIn(request).cseq);
      const matches = reliable?.acknowledge(request, () => this.#takePrack(transaction, dialog)) ?? false;
      if (matches) return undefined;
      dialog.offers.settledByUs(request.cseq.number);
      return { status: 481 };
    } catch (error) {
      dialog.offers.settledByUs(request.cseq.number);
      if (error instanceof SipError) return { status: 400, reason: 'Bad RAck Header' };
      throw error;
    }
  }

  #takePrack(transaction: ServerTransaction, dialog: EdgeDialog): void {
    // drachtio-srf answers 501 to a PRACK in a call that it has answered (RFC 3262 §3 wants 2xx).
    if (dialog.state.state === 'early' || transaction.request.body.length > 0) this.#handOver(transaction, dialog);
    else answerAlone(this.#context, transaction, { status: 200 });
  }

  #handOver(transaction: ServerTransaction, dialog: EdgeDialog): void {
    const { request, flow } = transaction;
    const { transactionId } = this.#open(transaction, dialog.owner, dialog.local, dialog.id, dialog);
    deliver(dialog.owner, request, flow, { kind: 'in-dialog', transactionId, dialogId: dialog.id });
  }

  /** The peer's BYE ends the dialog and an INVITE that is still pending in it (RFC 3261 §15.1.2). */
  #end(dialog: EdgeDialog): void {
    this.#context.book.remove(dialog);
    dialog.dispose();
    const isItsInvite = (one: PendingRequest) => one.dialog === dialog && isInvite(one);
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
    transaction.on('transportError', () => {
      // On UDP the caller's next copy of the INVITE asks for the response again.
      if (transaction.flow.reliable) this.giveUp(pending, 487, 'connection lost');
    });
    transaction.on('terminated', () => this.pending.settle(pending));
    return pending;
  }

  #onCancel(pending: PendingRequest, cancel: SipRequest): void {
    if (!this.pending.isOpen(pending)) return;
    this.#context.metrics.message('in', 'request', 'CANCEL');
    this.#cancel(pending, 487, cancel);
  }

  /** Nobody can be answered, or nobody answers: an application with an INVITE hears what it would hear of its caller. */
  giveUp(pending: PendingRequest, status: number, reason: string): void {
    if (!this.pending.isOpen(pending)) return;
    if (!isInvite(pending)) {
      this.#answer(pending, status);
      return;
    }
    const headers = new Headers([['Reason', `SIP;cause=${status};text="${reason}"`]]);
    this.#cancel(pending, status, cancelOf(pending.transaction.request, headers));
  }

  #cancel(pending: PendingRequest, status: number, cancel: SipRequest): void {
    const { transactionId, dialogId, answered, client, dialog, transaction } = pending;
    this.#answer(pending, status);
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
    if (pending.heldFrame !== undefined) pending.client.nok(pending.heldFrame, unknownTransaction);
    if (pending.reliable === undefined) {
      answerAlone(this.#context, transaction, { status });
      return;
    }
    this.#context.metrics.message('out', 'response', 'INVITE');
    pending.reliable.final(ownResponse(transaction, { status }));
  }
}
