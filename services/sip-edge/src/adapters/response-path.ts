// Responses on their way to the application that sent the request.
import { type ClientTransaction, createResponse, type Flow, newTag, type SipResponse } from '@sidestream/sip';
import type { Placement } from '../domain/meta.js';
import type { AdminClient } from './admin-client.js';
import { deliver, deliverInternal } from './delivery.js';
import type { EdgeContext } from './edge-context.js';
import { ProvisionalFilter } from './provisional-filter.js';

/** Passes the responses of a transaction on; what the network leaves out is 408 or 503, made here. */
export function passResponses(
  context: EdgeContext,
  client: AdminClient,
  transaction: ClientTransaction,
  at: Placement,
  onFinal: (status: number, response?: SipResponse) => void = () => undefined,
  onProvisional: (response: SipResponse) => void = () => undefined,
): void {
  const pass = (response: SipResponse, flow: Flow): void => {
    context.metrics.message('in', 'response', response.cseq.method);
    deliver(client, response, flow, at);
  };
  let answered = false;
  const give = (status: number): void => {
    if (answered) return;
    answered = true;
    onFinal(status);
    deliverInternal(
      client,
      createResponse(transaction.request, status, { toTag: newTag() }),
      transaction.flow.protocol,
      at,
    );
  };
  const filter = new ProvisionalFilter();
  transaction.on('provisional', (response, flow) => {
    if (!filter.passes(response)) return;
    onProvisional(response);
    pass(response, flow);
  });
  transaction.once('final', (response, flow) => {
    answered = true;
    onFinal(response.status, response);
    pass(response, flow);
  });
  transaction.on('timeout', () => give(408));
  transaction.on('transportError', () => give(503));
}
