// The trace of a call begins here: with an INVITE outside of dialogs, until its final response.
import { context, trace } from '@opentelemetry/api';
import { startSpan } from '@sidestream/service';
import { type ServerTransaction, tagOf } from '@sidestream/sip';

/** Does the work, for an INVITE that begins a call in a span of its own. */
export function traceInvite(transaction: ServerTransaction, work: () => void): void {
  const { request } = transaction;
  if (request.method !== 'INVITE' || tagOf(request.to) !== undefined) {
    work();
    return;
  }
  const span = startSpan('sip INVITE', { kind: 'server', attributes: { 'sip.call_id': request.callId } });
  transaction.once('final', (status) => span.setAttribute('sip.status', status).end());
  // A span ends once, whatever comes behind.
  transaction.once('terminated', () => span.end());
  context.with(trace.setSpan(context.active(), span), work);
}
