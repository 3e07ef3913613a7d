// A unary call as a promise, with deadline and cancellation as arguments.
import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';
import { SidestreamError } from '../errors.js';

type UnaryMethod<Q, R> = (
  request: Q,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: R) => void,
) => ClientUnaryCall;

/**
 * Calls a unary method, bound to its client: `callUnary(client.openSession.bind(client), request, {deadlineMs: 500})`.
 *
 * @throws SidestreamError with the server's code, `deadline-exceeded`, `cancelled` or `relay-unavailable`.
 */
export function callUnary<Q, R>(
  method: UnaryMethod<Q, R>,
  request: Q,
  { deadlineMs, signal }: { deadlineMs: number; signal?: AbortSignal },
): Promise<R> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(SidestreamError.from(signal.reason));
    const call = method(request, new Metadata(), { deadline: Date.now() + deadlineMs }, (error, response) => {
      signal?.removeEventListener('abort', onAbort);
      if (error) reject(SidestreamError.from(error));
      else resolve(response);
    });
    const onAbort = () => call.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
