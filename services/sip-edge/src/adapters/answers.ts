// The responses of applications to requests from the network: completed, sent, echoed, and what they make of a dialog.
import { randomUUID } from 'node:crypto';
import { dialogFromRequest, retransmit2xx, type SipResponse, tagOf } from '@sidestream/sip';
import type { AppResponse } from '../domain/app-message.js';
import { completeResponse, wantedToTag } from '../domain/message-completion.js';
import { requires100rel } from '../domain/option-tags.js';
import type { AdminClient } from './admin-client.js';
import { echoResponse } from './delivery.js';
import type { EdgeContext } from './edge-context.js';
import { EdgeDialog } from './edge-dialog.js';
import { ackTimeout, endDialog } from './in-dialog-sender.js';
import type { PendingRequest } from './pending-requests.js';
import type { ServerSide } from './server-side.js';

const unknownTransaction = 'Response not sent due to unknown transaction';

export class Answers {
  readonly #context: EdgeContext;
  readonly #server: ServerSide;

  constructor(context: EdgeContext, server: ServerSide) {
    this.#context = context;
    this.#server = server;
  }

  /**
   * Sends a response of the application.
   *
   * @throws AppMessageError for a response that can't be completed.
   */
  send(client: AdminClient, frameId: string, transactionId: string, message: AppResponse): void {
    const pending = this.#server.pending.find(client, transactionId);
    const refusal = refusalOf(pending, message);
    if (pending === undefined || refusal !== undefined) {
      client.nok(frameId, refusal ?? unknownTransaction);
      return;
    }
    const { transaction, local } = pending;
    const { request, flow } = transaction;
    const wanted = pending.answered ? undefined : wantedToTag(message);
    const toTag = pending.dialog?.state.localTag ?? wanted ?? transaction.toTag;
    const response = completeResponse(request, message, local, toTag);
    if (request.method === 'INVITE') this.#updateDialog(pending, response, toTag);
    if (message.status >= 200) this.#server.pending.settle(pending);
    else this.#server.pending.heard(pending);
    // The echo is written before anything that the response may cause can arrive, above all the ACK.
    void transaction.respond(response);
    this.#context.metrics.message('out', 'response', request.method);
    const dialogId = request.method === 'BYE' ? '' : pending.dialogId;
    echoResponse(client, frameId, response, flow, transactionId, dialogId);
    if (request.method === 'INVITE' && message.status >= 200 && message.status < 300) {
      this.#awaitAck(pending, response);
    }
  }

  #updateDialog(pending: PendingRequest, response: SipResponse, toTag: string): void {
    const { book } = this.#context;
    const { transaction, client, local, dialogId } = pending;
    const { dialog } = pending;
    if (response.status >= 300) {
      if (dialog?.state.state !== 'early') return;
      book.remove(dialog);
      dialog.dispose();
      return;
    }
    if (response.status === 100) return;
    const confirmed = response.status >= 200;
    if (dialog === undefined) {
      const contact = response.headers.get('Contact') ?? '';
      const state = dialogFromRequest(transaction.request, toTag, contact, confirmed ? 'confirmed' : 'early');
      pending.dialog = new EdgeDialog({ id: dialogId, owner: client, local, state, flow: transaction.flow });
      pending.dialog.peerInvite = transaction.request.cseq.number;
      book.add(pending.dialog);
    } else if (confirmed) {
      const localContact = response.headers.get('Contact') ?? dialog.state.localContact;
      dialog.state = { ...dialog.state, state: 'confirmed', localContact };
    }
  }

  #awaitAck(pending: PendingRequest, response: SipResponse): void {
    const { dialog, transaction } = pending;
    if (dialog === undefined) return;
    const cseq = transaction.request.cseq.number;
    let settle = (): void => undefined;
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const stopRepeats = retransmit2xx(transaction, response, () => {
      settle();
      // endDialog reports its own failures.
      void endDialog(this.#context, dialog, ackTimeout);
    });
    // The ACK of the first 2xx has the INVITE's id, that of a later one an id of its own, as drachtio-server has it.
    const initial = tagOf(transaction.request.to) === undefined;
    dialog.unacknowledged.set(cseq, {
      transactionId: initial ? pending.transactionId : randomUUID(),
      settled,
      stop: () => {
        stopRepeats();
        settle();
      },
    });
  }
}

function refusalOf(pending: PendingRequest | undefined, message: AppResponse): string | undefined {
  if (!pending?.transaction.pending) return unknownTransaction;
  const { flow } = pending.transaction;
  if (flow.reliable && flow.closed) return 'transport for response has been shutdown or closed';
  return message.status < 200 && requires100rel(message)
    ? 'reliable provisional responses are not supported by this edge'
    : undefined;
}
