// One trace per call, from the INVITE to the record: what is done for the call in between finds it by the call's id.
// Parties are in it as keyed hashes.
import type { CallRecord } from '@sidestream/proto/records/v1';
import {
  beginTrace,
  endSpan,
  failSpan,
  remoteSpan,
  type Span,
  setCallSpan,
  startSpan,
  takeCallSpan,
  traceHeader,
} from '@sidestream/service';
import type { CallFacts, CallRefusal, IncomingInvite } from '../domain/ports.js';
import type { ToldParties } from './told-parties.js';

export class CallTraces {
  readonly #ownEdge: boolean;
  readonly #parties: Pick<ToldParties, 'hash'>;
  /** Of the INVITE that is being taken, until it is a call. */
  #arriving: Span | undefined;

  /** @param ownEdge the edge begins the traces, and says which one an INVITE belongs to; another edge lets the network say so */
  constructor(ownEdge: boolean, parties: Pick<ToldParties, 'hash'>) {
    this.#ownEdge = ownEdge;
    this.#parties = parties;
  }

  /** Takes an INVITE within its trace, else within a new one. One that becomes no call ends it. What the work throws passes. */
  take(invite: Pick<IncomingInvite, 'sipCallId' | 'header'>, work: () => void): void {
    this.#arriving = this.#begin(invite);
    try {
      work();
      // No fault: it is asked for its password, or takes a party's place in a call that is up.
      endSpan(this.#withoutCall());
    } catch (error) {
      endSpan(this.#withoutCall(), error);
      throw error;
    }
  }

  /** The INVITE that is being taken is turned away. */
  refused({ reason }: Pick<CallRefusal, 'reason'>): void {
    failSpan(this.#withoutCall(), reason);
  }

  /** The INVITE that is being taken becomes this call. */
  arrived({ callId, tenant, trunk, direction, decision, parties }: CallFacts): void {
    const span = this.#arriving;
    if (span === undefined) return;
    this.#arriving = undefined;
    setCallSpan(callId, span);
    span.setAttributes({
      'sidestream.call_id': callId,
      'sidestream.tenant': tenant,
      'sidestream.trunk': trunk,
      'sidestream.direction': direction,
      'sidestream.decision': `${decision.record ? 'record' : 'do not record'}: ${decision.reason}`,
      'sidestream.calling.hash': this.#parties.hash(parties.calling),
      'sidestream.called.hash': this.#parties.hash(parties.called),
    });
  }

  /** The call is over. */
  ended({ callId, termination, verdict }: Pick<CallRecord, 'callId' | 'termination' | 'verdict'>): void {
    const span = takeCallSpan(callId);
    if (span === undefined) return;
    const { result = '', reason = '' } = termination ?? {};
    span.setAttributes({
      'sidestream.termination.result': result,
      'sidestream.termination.reason': reason,
      'sidestream.verdict': verdict,
    });
    endSpan(span);
  }

  /** The INVITE's span, if there is one and it has become no call. */
  #withoutCall(): Span | undefined {
    const span = this.#arriving;
    this.#arriving = undefined;
    span?.setAttribute('sidestream.call', 'none');
    return span;
  }

  #begin(invite: Pick<IncomingInvite, 'sipCallId' | 'header'>): Span | undefined {
    const options = { kind: 'server', attributes: { 'sip.call_id': invite.sipCallId } } as const;
    return this.#ownEdge
      ? startSpan('call', remoteSpan(invite.header(traceHeader)), options)
      : beginTrace('call', options);
  }
}
