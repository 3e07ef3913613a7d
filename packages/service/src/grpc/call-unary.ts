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
import { TracedHistogram } from '../traced-histogram.js';
import { inSpan, type Span, traceHeaders } from '../tracing/spans.js';

type UnaryMethod<Q, R> = (
  request: Q,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: R) => void,
) => ClientUnaryCall;

/** Of the process; a service that calls others registers it. */
export const grpcClientSeconds = new TracedHistogram({
  name: 'sidestream_grpc_client_seconds',
  help: 'Time until a gRPC request to another service was answered, by method and outcome (ok or error code).',
  labelNames: ['method', 'code'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  registers: [],
});

export interface CallBounds {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** What it is asked for. */
  readonly within?: Span | undefined;
}

/**
 * Calls a unary method, bound to its client: `callUnary(client.openSession.bind(client), request, {deadlineMs: 500})`.
 *
 * @throws SidestreamError with the server's code, `deadline-exceeded`, `cancelled` or `relay-unavailable`.
 */
export function callUnary<Q, R>(method: UnaryMethod<Q, R>, message: Q, bounds: CallBounds): Promise<R> {
  return inSpan('grpc', bounds.within, { kind: 'client' }, (span) => request(method, message, bounds, span));
}

function request<Q, R>(
  method: UnaryMethod<Q, R>,
  message: Q,
  { deadlineMs, signal }: CallBounds,
  span: Span | undefined,
): Promise<R> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(SidestreamError.from(signal.reason));
    const started = performance.now();
    let path = '';
    let settled = false;
    const settle = (thrown: ServiceError | null, response: R) => {
      if (settled) return;
      settled = true;
      signal?.removeEventListener('abort', onAbort);
      const error = thrown === null ? undefined : SidestreamError.from(thrown);
      const method = path.slice(path.lastIndexOf('/') + 1);
      grpcClientSeconds.record({ method, code: error?.code ?? 'ok' }, (performance.now() - started) / 1_000, span);
      if (error) reject(error);
      else resolve(response);
    };
    const options = {
      deadline: Date.now() + deadlineMs,
      interceptors: [
        onMessage<R>(
          (called) => {
            path = called;
            span?.updateName(`grpc ${called}`);
          },
          (response) => settle(null, response),
        ),
      ],
    };
    const metadata = new Metadata();
    for (const [field, value] of Object.entries(traceHeaders(span))) metadata.set(field, value);
    const call = method(message, metadata, options, settle);
    const onAbort = () => call.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Our servers send a message with success only: it is the outcome, and the status comes behind it in a write of its own. */
function onMessage<R>(onPath: (path: string) => void, tell: (response: R) => void): Interceptor {
  return (options, next) => {
    onPath(options.method_definition.path);
    return new InterceptingCall(next(options), {
      start: (metadata, _listener, start) =>
        start(metadata, {
          onReceiveMessage: (response: R | null, pass) => {
            // Without a message the library says so before it tells the status.
            if (response !== null) tell(response);
            pass(response);
          },
        }),
    });
  };
}
