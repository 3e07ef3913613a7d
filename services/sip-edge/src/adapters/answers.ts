// The responses of applications to requests from the network: completed, sent, echoed, reliably where they ask for it.
import { allowsReliable, hasOptionTag, ReliableResponses, type SipResponse } from '@sidestream/sip';
import type { AppResponse } from '../domain/app-message.js';
import { completeResponse, wantedToTag } from '../domain/message-completion.js';
import type { AdminClient } from './admin-client.js';
import { agreeOnSession, awaitAck, enterDialog, type SessionAgreement } from './answered-dialog.js';
import { echoResponse } from './delivery.js';
import type { EdgeContext } from './edge-context.js';
import { isInvite, type PendingRequest, unknownTransaction } from './pending-requests.js';
import type { ServerSide } from './server-side.js';

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
   * @throws AppMessageError for a response that can't be completed, SipError for one that can't be sent reliably.
   */
  send(client: AdminClient, frameId: string, transactionId: string, message: AppResponse): void {
    const pending = this.#server.pending.find(client, transactionId);
    const refusal = refusalOf(pending, message);
    if (pending === undefined || refusal !== undefined) {
      client.nok(frameId, refusal ?? unknownTransaction);
      return;
    }
    const { transaction, local } = pending;
    const wanted = pending.answered ? undefined : wantedToTag(message);
    const toTag = pending.dialog?.state.localTag ?? wanted ?? transaction.toTag;
    const response = completeResponse(transaction.request, message, local, toTag);
    if (message.status < 200) this.#sendProvisional(pending, frameId, response);
    else this.#sendFinal(pending, frameId, response, agreeOnSession(pending, response));
  }

  #sendProvisional(pending: PendingRequest, frameId: string, response: SipResponse): void {
    const { transaction } = pending;
    let sent = response;
    if (wantsReliable(pending, response)) {
      pending.reliable ??= new ReliableResponses(transaction, {
        onGaveUp: () => this.#server.giveUp(pending, 504, 'no PRACK'),
      });
      sent = pending.reliable.send(response);
    } else {
      void transaction.respond(response);
    }
    if (isInvite(pending)) enterDialog(this.#context, pending, sent);
    this.#server.pending.heard(pending);
    this.#sent(pending, frameId, sent);
  }

  #sendFinal(pending: PendingRequest, frameId: string, response: SipResponse, agree: SessionAgreement): void {
    const done = (): void => {
      pending.heldFrame = undefined;
      if (isInvite(pending)) enterDialog(this.#context, pending, response);
      agree(this.#context);
      this.#server.pending.settle(pending);
      // The echo is written before anything that the response may cause can arrive, above all the ACK.
      this.#sent(pending, frameId, response);
      if (isInvite(pending) && response.status < 300) awaitAck(this.#context, pending, response);
    };
    if (pending.reliable === undefined) {
      void pending.transaction.respond(response);
      done();
    } else {
      // RFC 3262 §3: a 2xx may have to wait for a PRACK, and its echo with it.
      pending.heldFrame = frameId;
      pending.reliable.final(response, done);
    }
  }

  /** It has been sent. */
  #sent(pending: PendingRequest, frameId: string, response: SipResponse): void {
    const { client, transaction, transactionId } = pending;
    const { method } = transaction.request;
    this.#context.metrics.message('out', 'response', method);
    if (response.status < 300) pending.dialog?.keepSession(response);
    const dialogId = method === 'BYE' ? '' : pending.dialogId;
    echoResponse(client, frameId, response, transaction.flow, transactionId, dialogId);
  }
}

function wantsReliable({ transaction }: PendingRequest, response: AppResponse | SipResponse): boolean {
  const { method } = transaction.request;
  return method === 'INVITE' && response.status > 100 && response.status < 200 && requires100rel(response);
}

function requires100rel(response: AppResponse | SipResponse): boolean {
  return hasOptionTag(response, 'Require', '100rel');
}

function refusalOf(pending: PendingRequest | undefined, message: AppResponse): string | undefined {
  if (!pending?.transaction.pending || pending.heldFrame !== undefined) return unknownTransaction;
  const { flow, request } = pending.transaction;
  if (flow.reliable && flow.closed) return 'transport for response has been shutdown or closed';
  return wantsReliable(pending, message) && !allowsReliable(request)
    ? 'Remote endpoint does not support 100rel'
    : undefined;
}
