// The early dialogs of one INVITE of an application: one for every To tag that answers (RFC 3261 §12.1.2, RFC 3262 §4). The
// application knows all of them by one id and speaks in the one that was heard last; a PRACK goes to the one that waits for it.
import {
  type DialogState,
  dialogFromResponse,
  type Flow,
  isReliableProvisional,
  type RAck,
  rackFor,
  SipError,
  type SipRequest,
  type SipResponse,
  tagOf,
} from '@sidestream/sip';
import type { EdgeContext } from './edge-context.js';
import { EdgeDialog, type EdgeDialogInit } from './edge-dialog.js';

/** More branches than any fork has; what comes of further ones is delivered, but makes no dialog. */
const maxLegs = 64;

interface AwaitedPrack {
  readonly leg: EdgeDialog;
  readonly rack: RAck;
}

export class EarlyLegs {
  readonly #context: EdgeContext;
  readonly #request: SipRequest;
  readonly #common: Pick<EdgeDialogInit, 'id' | 'owner' | 'local'>;
  readonly #legs = new Map<string, EdgeDialog>();
  #awaited: AwaitedPrack[] = [];

  /** @param request the INVITE as sent. */
  constructor(context: EdgeContext, request: SipRequest, common: Pick<EdgeDialogInit, 'id' | 'owner' | 'local'>) {
    this.#context = context;
    this.#request = request;
    this.#common = common;
  }

  /** Enters the dialog that a response makes, or takes the response into it. Undefined where it makes no usable one. */
  enter(response: SipResponse, flow: Flow): EdgeDialog | undefined {
    const tag = tagOf(response.to) ?? '';
    const state = this.stateOf(response);
    const known = this.#legs.get(tag);
    if (state === undefined || (known === undefined && this.#legs.size >= maxLegs)) return undefined;
    const leg = known ?? this.#open(tag, state, flow);
    // PRACK and UPDATE may have used numbers already (RFC 3261 §13.2.2.4 keeps the CSeqs), and the callee's as well.
    const localCseq = Math.max(state.localCseq, leg.state.localCseq);
    const { remoteCseq } = leg.state;
    leg.state = { ...state, localCseq, ...(remoteCseq === undefined ? {} : { remoteCseq }) };
    leg.flow = flow;
    leg.offers.answeredByPeer(response);
    if (isReliableProvisional(response)) {
      this.#awaited = [...this.#awaited.slice(-maxLegs), { leg, rack: rackFor(response) }];
    }
    this.#context.book.add(leg);
    return leg;
  }

  /** What dialog a response makes; undefined where it makes no usable one. */
  stateOf(response: SipResponse): DialogState | undefined {
    try {
      return dialogFromResponse(this.#request, response);
    } catch (error) {
      if (!(error instanceof SipError)) throw error;
      this.#context.log.warn({ err: error, callId: response.callId }, 'a response makes no usable dialog');
      return undefined;
    }
  }

  /** The early dialog whose response this RAck acknowledges: branches may have chosen the same RSeq, so each once. */
  take({ rseq, cseq }: RAck): EdgeDialog | undefined {
    const found = this.#awaited.find(({ rack }) => rack.rseq === rseq && rack.cseq === cseq);
    this.#awaited = this.#awaited.filter((one) => one !== found);
    return found?.leg;
  }

  /** The INVITE has its final response: all early dialogs are over but the one that was answered, if one was. */
  end(answered?: EdgeDialog): void {
    this.#awaited = [];
    answered?.offers.settledByPeer(this.#request.cseq.number);
    for (const [tag, leg] of this.#legs) {
      if (leg === answered) continue;
      this.#legs.delete(tag);
      this.#context.book.remove(leg);
      leg.dispose();
    }
  }

  #open(tag: string, state: DialogState, flow: Flow): EdgeDialog {
    const leg = new EdgeDialog({ ...this.#common, state, flow, legs: this });
    leg.offers.sent(this.#request);
    leg.keepSession(this.#request);
    this.#legs.set(tag, leg);
    return leg;
  }
}
