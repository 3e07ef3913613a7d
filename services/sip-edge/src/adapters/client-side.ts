// New requests of applications: destination, completion, echo, and the responses on their way back. INVITE makes dialogs.
import { randomInt, randomUUID } from 'node:crypto';
import {
  type ClientTransaction,
  createResponse,
  type Flow,
  type Headers,
  newTag,
  type SipResponse,
  tagOf,
} from '@sidestream/sip';
import { AppMessageError, type AppRequest } from '../domain/app-message.js';
import { cancelOf } from '../domain/cancel-request.js';
import { completeRequest } from '../domain/message-completion.js';
import { fitsMetaLine, formatDialogId, type Placement } from '../domain/meta.js';
import type { AdminClient, SipFrame } from './admin-client.js';
import { deliverInternal, echoRequest } from './delivery.js';
import { type Destination, DestinationError } from './destinations.js';
import type { EdgeContext } from './edge-context.js';
import { LateAnswers } from './late-answers.js';
import { OutgoingInvite } from './outgoing-invite.js';
import { passResponses } from './response-path.js';

const notOutsideDialogs = new Set(['ACK', 'BYE', 'CANCEL', 'PRACK', 'UPDATE']);

export class ClientSide {
  readonly #context: EdgeContext;
  readonly #invites = new Map<string, OutgoingInvite>();
  readonly #late: LateAnswers;

  constructor(context: EdgeContext) {
    this.#context = context;
    this.#late = new LateAnswers(context.layer.clock);
  }

  /**
   * Sends a request outside a dialog.
   *
   * @throws AppMessageError or DestinationError when it can't be sent at all: the frame is refused.
   */
  async send(client: AdminClient, frame: SipFrame, message: AppRequest): Promise<void> {
    if (notOutsideDialogs.has(message.method)) {
      return client.nok(frame.id, `Server error: ${message.method} needs a dialog`);
    }
    const found = await this.#destinations(frame.route || message.uri);
    const defaults = { callId: randomUUID(), fromTag: newTag(), cseq: randomInt(1, 2 ** 27) };
    // The network's answers over UDP would be dropped: better said now than found out after 32 seconds.
    const known = found.filter(({ target }) => target.protocol !== 'udp' || this.#context.isPeer(target.host));
    const [stranger] = found;
    if (known.length === 0 && stranger !== undefined) {
      return client.nok(frame.id, `${stranger.target.host} is not a configured peer`);
    }
    const reached = await this.#reach(known);
    const destination = reached?.destination ?? known[0];
    const local = (destination?.listener ?? this.#context.listeners.all[0])?.advertised;
    if (local === undefined) throw new DestinationError('transport', 'requested protocol/transport not available');
    const request = completeRequest(message, local, defaults);
    if (!fitsMetaLine(formatDialogId(request.callId, tagOf(request.from) ?? ''))) {
      throw new AppMessageError('invalid Call-ID or From tag');
    }
    if (client.closed) return;
    const transactionId = randomUUID();
    const isInvite = request.method === 'INVITE';
    const fromTag = tagOf(request.from) ?? '';
    if (reached === undefined || (isInvite && this.#context.book.full)) {
      echoRequest(client, frame.id, request, reached?.flow, transactionId);
      const status = createResponse(request, 503, { toTag: newTag() });
      const at = placement(isInvite, transactionId, formatDialogId(request.callId, fromTag));
      return deliverInternal(client, status, destination?.target.protocol ?? 'unknown', at);
    }
    const {
      flow,
      destination: { target },
    } = reached;
    const transaction = this.#context.layer.request(request, flow);
    transaction.once('timeout', () => this.#context.destinations.failed(target));
    transaction.once('transportError', () => this.#context.destinations.failed(target));
    this.#context.metrics.sent(transaction);
    echoRequest(client, frame.id, transaction.request, flow, transactionId);
    if (!isInvite) return passResponses(this.#context, client, transaction, { kind: 'no-dialog', transactionId });
    const dialogId = this.#context.book.reserveId(request.callId, fromTag);
    this.#follow(transaction, client, local, placement(isInvite, transactionId, dialogId), dialogId);
  }

  /** A response that answers no transaction. @returns true for a 2xx to an INVITE that has failed for its application. */
  takeLateAnswer(response: SipResponse, flow: Flow): boolean {
    const invite = this.#late.find(response);
    invite?.hangUp(response, flow);
    return invite !== undefined;
  }

  /** Cancels an INVITE of the application. drachtio-server gives the CANCEL a transaction id of its own. */
  cancel(client: AdminClient, frame: SipFrame, headers: Headers): void {
    const invite = this.#invites.get(frame.transactionId);
    if (invite === undefined || invite.client !== client) {
      client.nok(frame.id, `unable to cancel unknown transaction id: ${frame.transactionId}`);
      return;
    }
    const extra = headers.clone();
    // RFC 3261 §9.1: these are the INVITE's.
    for (const name of ['Max-Forwards', 'From', 'To', 'Call-ID', 'CSeq', 'Contact']) extra.delete(name);
    const cancel = cancelOf(invite.transaction.request, extra);
    invite.cancel(extra);
    this.#context.metrics.message('out', 'request', 'CANCEL');
    echoRequest(client, frame.id, cancel, invite.transaction.flow, randomUUID());
  }

  /** The application has gone: its calls that still ring are cancelled, an answer that crosses is hung up. */
  abandon(client: AdminClient): void {
    for (const invite of this.#invites.values()) if (invite.client === client) invite.abandon();
  }

  #follow(
    transaction: ClientTransaction,
    client: AdminClient,
    local: OutgoingInvite['local'],
    at: Placement,
    dialogId: string,
  ): void {
    const invite = new OutgoingInvite(this.#context, { transaction, client, local, at, dialogId });
    const forget = (): void => {
      // Only once: the id may be another INVITE's by the time this transaction ends.
      if (this.#invites.delete(at.transactionId)) this.#context.book.releaseId(dialogId);
    };
    this.#invites.set(at.transactionId, invite);
    transaction.once('final', forget);
    transaction.once('terminated', () => {
      forget();
      if (invite.failed) this.#late.expect(invite);
    });
  }

  /** None where DNS has no answer: the application sees that as a failure of the network. */
  async #destinations(uri: string): Promise<readonly Destination[]> {
    try {
      return await this.#context.destinations.resolveAll(uri);
    } catch (error) {
      if (!(error instanceof DestinationError) || error.kind !== 'dns') throw error;
      this.#context.log.warn({ reason: error.message }, 'a destination could not be resolved');
      return [];
    }
  }

  /** The first of them that takes a connection (RFC 3263 §4.3); all together have the time that one alone would have. */
  async #reach(found: readonly Destination[]): Promise<{ destination: Destination; flow: Flow } | undefined> {
    const { transports, destinations, log, dialDeadlineMs } = this.#context;
    // One alone has the deadline of the transports.
    const share = () => (found.length > 1 ? AbortSignal.timeout(Math.ceil(dialDeadlineMs / found.length)) : undefined);
    for (const destination of found) {
      try {
        return { destination, flow: await transports.flow(destination.target, share()) };
      } catch (error) {
        const { protocol, host, port } = destination.target;
        destinations.failed(destination.target);
        log.warn({ err: error, target: `${protocol}:${host}:${port}` }, 'a destination could not be reached');
      }
    }
    return undefined;
  }
}

function placement(isInvite: boolean, transactionId: string, dialogId: string): Placement {
  return isInvite ? { kind: 'in-dialog', transactionId, dialogId } : { kind: 'no-dialog', transactionId };
}
