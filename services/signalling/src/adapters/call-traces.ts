// One trace per call, from the INVITE to the record: what is done for the call in between finds it around itself, or by the call's id.
// Parties are in it as keyed hashes, the same number always the same one, until the process ends.
import { createHmac, randomBytes } from 'node:crypto';
import { type Context, context, type Span, trace } from '@opentelemetry/api';
import type { CallRecord } from '@sidestream/proto/records/v1';
import { contextOf, type EventBody, endSpan, SidestreamError, startSpan, traceHeader } from '@sidestream/service';
import type { CallFacts, IncomingInvite } from '../domain/ports.js';

export class CallTraces {
  readonly #ownEdge: boolean;
  readonly #key = randomBytes(32);
  /** Of the INVITE that is being taken, until it is a call. */
  #arriving: Span | undefined;
  readonly #live = new Map<string, { readonly span: Span; readonly within: Context }>();

  /** @param ownEdge whether the edge says which trace an INVITE belongs to; another edge lets the network say so */
  constructor(ownEdge: boolean) {
    this.#ownEdge = ownEdge;
  }

  /** Takes an INVITE within its trace, else within a new one. One that becomes no call ends it. */
  take(invite: Pick<IncomingInvite, 'sipCallId' | 'header'>, work: () => void): void {
    const from = contextOf(this.#ownEdge ? invite.header(traceHeader) : undefined);
    const attributes = { 'sip.call_id': invite.sipCallId };
    const span = startSpan('call', { kind: 'server', attributes, within: from });
    this.#arriving = span;
    context.with(trace.setSpan(from, span), work);
    if (this.#arriving === span) endSpan(span, new SidestreamError('not-found', 'refused'));
  }

  /** The INVITE that is being taken becomes this call. */
  arrived({ callId, tenant, trunk, direction, decision, parties }: CallFacts): void {
    const within = context.active();
    const span = trace.getSpan(within);
    if (span === undefined) return;
    this.#live.set(callId, { span, within });
    this.#arriving = undefined;
    span.setAttributes({
      'sidestream.call_id': callId,
      'sidestream.tenant': tenant,
      'sidestream.trunk': trunk,
      'sidestream.direction': direction,
      'sidestream.decision': `${decision.record ? 'record' : 'do not record'}: ${decision.reason}`,
      'sidestream.calling.hash': this.#hash(parties.calling.uri),
      'sidestream.called.hash': this.#hash(parties.called.uri),
    });
  }

  /** The call is over. */
  ended({ callId, termination, verdict }: Pick<CallRecord, 'callId' | 'termination' | 'verdict'>): void {
    const live = this.#live.get(callId);
    if (live === undefined) return;
    this.#live.delete(callId);
    const { result = '', reason = '' } = termination ?? {};
    live.span.setAttributes({
      'sidestream.termination.result': result,
      'sidestream.termination.reason': reason,
      'sidestream.verdict': verdict,
    });
    endSpan(live.span);
  }

  /** Where an event of a call belongs. */
  contextOf({ value }: EventBody): Context | undefined {
    return 'callId' in value ? this.#live.get(value.callId)?.within : undefined;
  }

  #hash(party: string): string {
    return createHmac('sha256', this.#key).update(party).digest('hex').slice(0, 16);
  }
}
