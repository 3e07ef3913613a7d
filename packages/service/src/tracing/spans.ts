// What may be traced, and how it crosses processes (W3C Trace Context). Without an SDK (see start-tracing.ts) all of this does nothing.
// Within a call only: what has no trace around it begins none.
import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { SidestreamError } from '../errors.js';

const tracer = trace.getTracer('sidestream');

/** What a span is of. */
export interface SpanOptions {
  readonly kind?: 'client' | 'server' | 'internal' | 'producer' | 'consumer';
  readonly attributes?: Attributes;
  /** Default: what is around. */
  readonly within?: Context;
}

const kinds = {
  client: SpanKind.CLIENT,
  server: SpanKind.SERVER,
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** Begins a trace, or goes on with one. Whoever begins it ends it, with `endSpan`. */
export function startSpan(name: string, { kind = 'internal', attributes = {}, within }: SpanOptions = {}): Span {
  return tracer.startSpan(name, { kind: kinds[kind], attributes }, within ?? context.active());
}

/** Ends a span; with an error's code if it has failed. Messages may hold addresses, so that they stay in the log. */
export function endSpan(span: Span, error?: unknown): void {
  if (error !== undefined) {
    const { code } = SidestreamError.from(error);
    span.setAttribute('error.type', code);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** Does the work in a span of its own, if there is a trace around. What it throws passes. */
export async function inSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  const within = options.within ?? context.active();
  if (trace.getSpan(within) === undefined) return await work();
  const span = startSpan(name, options);
  try {
    const result = await context.with(trace.setSpan(within, span), work);
    endSpan(span);
    return result;
  } catch (error) {
    endSpan(span, error);
    throw error;
  }
}

/** The header fields that carry a trace to another process: `traceparent`, if there is a trace. */
export function traceHeaders(within: Context = context.active()): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagation.inject(within, carrier);
  return carrier;
}

/** The context that a `traceparent` of another process tells; none of a value that is no trace context. */
export function contextOf(traceparent: string | undefined): Context {
  return traceparent === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, { traceparent });
}

/** The ids of the trace of now, for logs. */
export function activeIds(): { readonly trace_id?: string; readonly span_id?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}
