// A unary call as a promise, with deadline and cancellation as arguments.
import {
  type CallOptions,
  type ClientUnaryCall,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
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
    const settle = (error: ServiceError | null, response: R) => {
      signal?.removeEventListener('abort', onAbort);
      if (error) reject(SidestreamError.from(error));
      else resolve(response);
    };
    const options = {
      deadline: Date.now() + deadlineMs,
      interceptors: [onMessage<R>((response) => settle(null, response))],
    };
    const call = method(request, new Metadata(), options, settle);
    const onAbort = () => call.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Our servers send a message with success only: it is the outcome, and the status comes behind it in a write of its own. */
function onMessage<R>(tell: (response: R) => void): Interceptor {
  return (options, next) =>
    new InterceptingCall(next(options), {
      start: (metadata, _listener, start) =>
        start(metadata, {
          onReceiveMessage: (response: R | null, pass) => {
            // Without a message the library says so before it tells the status.
            if (response !== null) tell(response);
            pass(response);
          },
        }),
    });
}
