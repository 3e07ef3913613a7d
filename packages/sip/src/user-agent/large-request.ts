// RFC 3261 §18.1.1: a request that is too large for UDP goes over TCP, and back to UDP only where nobody listens on TCP.
import { serialiseMessage } from '../message/serialise-message.js';
import type { SipRequest } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { Flow, Target } from '../transport/flow.js';
import type { UaCore } from './ua-core.js';

/** RFC 3261 §18.1.1: the limit where the path's MTU is not known. */
export const maxDatagramRequestBytes = 1300;

/** A request and the connection it is to go on. */
export interface Addressed {
  readonly request: SipRequest;
  readonly flow: Flow;
}

/**
 * Builds a request for a flow, and for another one, over TCP to the same place, where it is too large for UDP.
 * @throws what `build` throws, and SipError `cancelled`
 */
export async function addressed(
  core: UaCore,
  flow: Flow,
  build: (flow: Flow) => SipRequest,
  signal?: AbortSignal,
): Promise<Addressed> {
  const request = build(flow);
  if (flow.protocol !== 'udp' || sizeOf(core, request, flow) <= maxDatagramRequestBytes) return { request, flow };
  const target: Target = { protocol: 'tcp', ...flow.remote };
  try {
    const stream = await core.transports.flow(target, signal);
    return { request: build(stream), flow: stream };
  } catch (error) {
    if (error instanceof SipError && error.code === 'transport-failed' && !signal?.aborted) return { request, flow };
    throw error;
  }
}

// With the Via that it will get.
function sizeOf(core: UaCore, request: SipRequest, flow: Flow): number {
  return serialiseMessage(core.layer.withVia(request, flow)).length;
}
