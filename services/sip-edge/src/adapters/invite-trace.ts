// The trace of a call begins here: with an INVITE outside of dialogs, until its final response.
import { beginTrace, endSpan, type Span } from '@sidestream/service';
import { type ServerTransaction, tagOf } from '@sidestream/sip';

/** The span of an INVITE that begins a call, if its trace is kept; it ends by itself. */
export function traceInvite(transaction: ServerTransaction): Span | undefined {
  const { request } = transaction;
  if (request.method !== 'INVITE' || tagOf(request.to) !== undefined) return undefined;
  const span = beginTrace('sip INVITE', { kind: 'server', attributes: { 'sip.call_id': request.callId } });
  if (span === undefined) return undefined;
  transaction.once('final', (status) => endSpan(span.setAttribute('sip.status', status)));
  // A span ends once, whatever comes behind.
  transaction.once('terminated', () => endSpan(span));
  return span;
}
