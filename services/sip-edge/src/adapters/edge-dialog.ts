// One dialog that the edge keeps for an application: the state of RFC 3261 §12 and what is under way in it.
import type { DialogState, Flow, Headers, ReliableResponses, SipMessage, SipRequest } from '@sidestream/sip';
import type { BookedDialog } from '../domain/dialog-book.js';
import type { LocalAddress } from '../domain/local-address.js';
import { OpenOffers, sdpOf } from '../domain/session-description.js';
import type { AdminClient } from './admin-client.js';
import type { EarlyLegs } from './early-legs.js';
import type { SessionRefresh } from './session-refresh.js';

/** A 2xx of ours that has no ACK yet. */
export interface UnacknowledgedAnswer {
  readonly transactionId: string;
  /** Resolves when the ACK has come or is no longer waited for. */
  readonly settled: Promise<void>;
  /** Stops the repeats of the 2xx. */
  stop(): void;
}

/** What the application puts into an ACK. */
export interface AckContent {
  readonly headers?: Headers;
  readonly body?: Buffer;
}

/** An ACK as it went out. */
export interface SentAck {
  readonly request: SipRequest;
  readonly flow: Flow;
}

/** The ACK of a 2xx, kept for the copies of that 2xx. */
export interface OwnAck {
  readonly cseq: number;
  readonly content: AckContent;
  /** Undefined while it could not be sent. */
  sent: SentAck | undefined;
}

export interface EdgeDialogInit {
  readonly id: string;
  readonly owner: AdminClient;
  readonly local: LocalAddress;
  readonly state: DialogState;
  readonly flow: Flow;
  readonly legs?: EarlyLegs | undefined;
}

export class EdgeDialog implements BookedDialog<AdminClient> {
  readonly id: string;
  readonly owner: AdminClient;
  readonly local: LocalAddress;
  state: DialogState;
  /** The flow on which the peer was heard last. */
  flow: Flow;
  /** A BYE of the application is on its way: nothing else may be sent. */
  closing = false;
  /** That BYE is on the wire; before, it may be waiting for the ACK of our 2xx. */
  byeSent = false;
  /** INVITEs of ours in this dialog without a final answer. */
  ownInvites = 0;
  /** CSeq of the peer's INVITE that has no final answer. */
  peerInvite: number | undefined;
  /** CSeq of the peer's UPDATE that has no final answer. */
  peerUpdate: number | undefined;
  readonly offers = new OpenOffers();
  /** Reliable provisional responses to INVITEs of the peer, by their CSeq number. */
  readonly reliable = new Map<number, ReliableResponses>();
  /** The other early dialogs of the INVITE that made this one, where it was ours. */
  readonly legs: EarlyLegs | undefined;
  /** The session timer, once there was one. */
  session: SessionRefresh | undefined;
  /** The last session description of ours that the peer has; empty before. */
  localSession: Buffer = Buffer.alloc(0);
  /** CSeq of an INVITE of ours whose 2xx waits for the application's ACK, and how to stop the watch over it. */
  owedAck: { readonly cseq: number; readonly stopWatch: () => void } | undefined;
  ack: OwnAck | undefined;
  /** Header fields of the last INVITE of ours that its ACK repeats. */
  inviteCredentials: readonly (readonly [name: string, value: string])[] = [];
  readonly unacknowledged = new Map<number, UnacknowledgedAnswer>();
  #order: Promise<void> = Promise.resolve();

  constructor(init: EdgeDialogInit) {
    this.id = init.id;
    this.owner = init.owner;
    this.local = init.local;
    this.state = init.state;
    this.flow = init.flow;
    this.legs = init.legs;
  }

  /** Keeps the session description of a message of ours that the peer gets. */
  keepSession(message: SipMessage): void {
    const { method } = message.kind === 'request' ? message : message.cseq;
    const isSession = method === 'INVITE' || method === 'UPDATE' || method === 'PRACK' || method === 'ACK';
    if (isSession) this.localSession = sdpOf(message) ?? this.localSession;
  }

  /** Runs what sends in this dialog one after the other, so that a slow connection never lets a BYE overtake an ACK. */
  inOrder(send: () => Promise<void>): Promise<void> {
    const turn = this.#order.then(send);
    this.#order = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when every 2xx of ours has its ACK or has been given up. */
  async acknowledged(): Promise<void> {
    await Promise.all([...this.unacknowledged.values()].map((answer) => answer.settled));
  }

  /** Stops all timers of the dialog. Idempotent. */
  dispose(): void {
    for (const answer of this.unacknowledged.values()) answer.stop();
    this.unacknowledged.clear();
    this.owedAck?.stopWatch();
    this.owedAck = undefined;
    for (const reliable of this.reliable.values()) reliable.stop();
    this.session?.stop();
  }
}
