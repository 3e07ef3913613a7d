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
import { cancelOf } from '../domain/cancel-request.js';
import { fitsMetaLine, formatDialogId } from '../domain/meta.js';
import { requires100rel } from '../domain/option-tags.js';
import type { RouteTable } from '../domain/routing.js';
import type { AdminClient } from './admin-client.js';
import { deliver } from './delivery.js';
import type { EdgeContext } from './edge-context.js';
import type { EdgeDialog } from './edge-dialog.js';
import { isInvite, type PendingRequest, PendingRequests } from './pending-requests.js';

/** Why the edge answers a request by itself. */
interface Refusal {
  readonly status: number;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
  readonly unsupported?: string;
}

/** RFC 3262 §3, RFC 3261 §8.2.2.3: an edge without reliable provisional responses says so. */
const unsupported100rel: Refusal = { status: 420, unsupported: '100rel' };

const onlyInDialogs = new Set(['BYE', 'UPDATE', 'PRACK']);

export class ServerSide {
  readonly pending: PendingRequests;
  readonly #context: EdgeContext;
  readonly #routes: RouteTable<AdminClient>;
  /** Initial INVITEs whose transactions go on, to see merged requests (RFC 3261 §8.2.2.2). */
  readonly #invites = new Set<string>();

  constructor(context: EdgeContext, routes: RouteTable<AdminClient>) {
    const { layer, book, ringingDeadlineMs } = context;
    this.#context = context;
    this.#routes = routes;
    this.pending = new PendingRequests({
      clock: layer.clock,
      timers: layer.timers,
      ringingDeadlineMs,
      onSilence: (pending) => this.#giveUp(pending, 504, 'the application does not answer'),
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
    const refusal = this.#pass(transaction);
    if (refusal !== undefined) this.#refuse(transaction, refusal);
  }

  #pass(transaction: ServerTransaction): Refusal | undefined {
    const { request } = transaction;
    const fits = fitsMetaLine(formatDialogId(request.callId, tagOf(request.from) ?? ''));
    // In a meta line such an id would be read as fields, and name another peer's dialog.
    if (!fits) return { status: 400, reason: 'Bad Call-ID Or From Tag' };
    return tagOf(request.to) === undefined ? this.#passOutsideDialogs(transaction) : this.#passInDialog(transaction);
  }

  #passOutsideDialogs(transaction: ServerTransaction): Refusal | undefined {
    const { request, flow } = transaction;
    const { method } = request;
    if (onlyInDialogs.has(method)) return { status: 481 };
    const refusal = method === 'INVITE' ? this.#refusalOfInvite(transaction) : undefined;
    if (refusal !== undefined) return refusal;
    const listener = this.#context.listeners.of(flow);
    const client = this.#routes.next(method.toLowerCase());
    if (client === undefined || listener === undefined) {
      return { status: 503, reason: 'No Application Takes It', retryAfterSeconds: 5 };
    }
    const dialogId = method === 'INVITE' ? this.#enterInvite(transaction) : '';
    const { transactionId } = this.#open(transaction, client, listener.advertised, dialogId, undefined);
    const { host, port } = flow.local;
    deliver(client, request, flow, { kind: 'new-request', transactionId, localAddress: host, localPort: port });
    return undefined;
  }

  #refusalOfInvite(transaction: ServerTransaction): Refusal | undefined {
    const { request } = transaction;
    // drachtio-server lets these two through, and the application's createUAS then never answers.
    if (tagOf(request.from) === undefined) return { status: 400, reason: 'Missing From Tag' };
    if (!canMakeDialog(transaction)) return { status: 400, reason: 'Missing or Bad Contact Header' };
    if (this.#invites.has(mergeKey(request))) return { status: 482 };
    if (requires100rel(request)) return unsupported100rel;
    return this.#context.book.full ? { status: 503, retryAfterSeconds: 5 } : undefined;
  }

  /** @returns the id of the dialog that the INVITE may create. */
  #enterInvite(transaction: ServerTransaction): string {
    const { request } = transaction;
    const key = mergeKey(request);
    this.#invites.add(key);
    transaction.once('terminated', () => this.#invites.delete(key));
    return this.#context.book.reserveId(request.callId, tagOf(request.from) ?? '');
  }

  #passInDialog(transaction: ServerTransaction): Refusal | undefined {
    const { request, flow } = transaction;
    const dialog = this.#context.book.findFor(request);
    if (dialog === undefined) return { status: 481 };
    if (dialog.closing) {
      if (request.method !== 'BYE') return { status: 481 };
      // Both ends hang up, RFC 3261 §15.1.2. A BYE of ours that still waits for an ACK has nothing left to end.
      this.#end(dialog);
      return { status: 200 };
    }
    if (request.method === 'INVITE' && requires100rel(request)) return unsupported100rel;
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
      if (transaction.flow.reliable) this.#giveUp(pending, 487, 'connection lost');
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
  #giveUp(pending: PendingRequest, status: number, reason: string): void {
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
    this.#refuse(transaction, { status });
  }

  #refuse(transaction: ServerTransaction, { status, reason, retryAfterSeconds, unsupported }: Refusal): void {
    const { request, toTag } = transaction;
    const headers = new Headers();
    if (retryAfterSeconds !== undefined) headers.append('Retry-After', String(retryAfterSeconds));
    if (unsupported !== undefined) headers.append('Unsupported', unsupported);
    this.#context.metrics.message('out', 'response', request.method);
    // respond() never rejects; a response that is lost makes the peer send its request again.
    void transaction.respond(createResponse(request, status, { toTag, reason, headers }));
  }
}

/** RFC 3261 §8.2.2.2: equal for the copies of a request that a proxy upstream has forked. */
function mergeKey(request: SipRequest): string {
  return `${request.callId}\n${tagOf(request.from) ?? ''}\n${request.cseq.number}`;
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
