// A gRPC server as every service runs it: mutual TLS, health service, bounded connection age, graceful end.
import {
  type handleUnaryCall,
  Metadata,
  Server,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Registry } from 'prom-client';
import { formatHostPort, type HostPort } from '../address.js';
import type { GrpcTls } from '../config/schema.js';
import { SidestreamError, writeErrorCode } from '../errors.js';
import type { Logger } from '../log.js';
import { TracedHistogram } from '../traced-histogram.js';
import { withSpan } from '../tracing/signal-spans.js';
import { inSpan, remoteSpan, type Span } from '../tracing/spans.js';
import { callerCheck } from './caller-check.js';
import { type CalledService, namesOfCallers } from './callers.js';
import { serverCredentials } from './credentials.js';

export interface GrpcServerOptions {
  /** Whom it serves follows from it. */
  readonly service: CalledService;
  readonly log: Logger;
  readonly metrics: Registry;
  /** How often it looks whether a certificate was renewed. */
  readonly lookEveryMs?: number;
}

export class GrpcServer {
  readonly #server: Server;
  readonly #tls: GrpcTls | undefined;
  readonly #lookEveryMs: number | undefined;

  constructor(tls: GrpcTls | undefined, { service, log, metrics, lookEveryMs }: GrpcServerOptions) {
    this.#tls = tls;
    this.#lookEveryMs = lookEveryMs;
    this.#server = new Server({
      interceptors: callerCheck({ names: namesOfCallers(service, tls), log, metrics }),
      'grpc.max_receive_message_length': 1024 * 1024,
      // Nobody asks for its counters, which are kept for every message.
      'grpc.enable_channelz': 0,
      // Clients come back through the load balancer now and then, so that new instances get their share.
      'grpc.max_connection_age_ms': 30 * 60_000,
      'grpc.max_connection_age_grace_ms': 60_000,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 5_000,
    });
  }

  add(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    this.#server.addService(definition, implementation);
  }

  /** Listens; resolves with the port bound. */
  listen(address: HostPort): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(formatHostPort(address), serverCredentials(this.#tls, this.#lookEveryMs), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  }

  /** Lets calls in flight end within `graceMs`, then ends the rest. */
  close(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#server.forceShutdown(), graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Makes unary handlers that measure, log and answer errors in one way. */
export class UnaryHandlers {
  readonly #log: Logger;
  readonly #seconds: TracedHistogram<'method' | 'code'>;

  constructor(log: Logger, metrics: Registry) {
    this.#log = log;
    this.#seconds = new TracedHistogram({
      name: 'sidestream_grpc_server_seconds',
      help: 'Time to answer a gRPC request, by method and outcome (ok or error code).',
      labelNames: ['method', 'code'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers: [metrics],
    });
  }

  /**
   * Wraps an async function as a handler. Its signal aborts when the client cancels or its deadline passes, and carries the trace of the
   * request; what it throws is answered as the error table says, with the code in the metadata.
   */
  handle<Q, R>(method: string, work: (request: Q, signal: AbortSignal) => Promise<R>): handleUnaryCall<Q, R> {
    return (call, callback) => {
      const controller = new AbortController();
      const started = performance.now();
      let span: Span | undefined;
      const measure = (code: string) =>
        this.#seconds.record({ method, code }, (performance.now() - started) / 1_000, span);
      let answered = false;
      call.on('cancelled', () => {
        // It is emitted at the end of a call that went well, too.
        if (!answered) controller.abort(new SidestreamError('cancelled', `${method}: the client gave up`));
      });
      const [traceparent] = call.metadata.get('traceparent');
      const within = remoteSpan(traceparent?.toString());
      const answering = inSpan(`grpc ${method}`, within, { kind: 'server' }, async (own) => {
        span = own;
        return work(call.request, withSpan(controller.signal, own));
      });
      answering.then(
        (response) => {
          answered = true;
          measure('ok');
          callback(null, response);
        },
        (thrown: unknown) => {
          answered = true;
          const error = SidestreamError.from(thrown);
          measure(error.code);
          if (error.code === 'internal') {
            const trace_id = span?.spanContext().traceId;
            this.#log.error({ err: thrown, method, trace_id }, 'request failed');
          }
          const metadata = new Metadata();
          writeErrorCode(metadata, error);
          callback({ code: error.meaning.grpc, details: error.message, metadata });
        },
      );
    };
  }
}
