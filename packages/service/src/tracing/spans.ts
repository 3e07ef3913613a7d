// Spans, and how a trace crosses processes (W3C Trace Context). A span is handed on, as an argument or by what it is of: what would find it
// around the work (AsyncLocalStorage) costs every promise of the process something, traced or not (docs/decisions/0045-traces-by-hand.md).
// Only a trace that is kept has spans. Undefined in the place of one: nothing is traced, and nothing is done for it.
import {
  type Attributes,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { SidestreamError } from '../errors.js';

export type { Span } from '@opentelemetry/api';

const tracer = trace.getTracer('sidestream');

/** What a span is of. */
export interface SpanOptions {
  readonly kind?: 'client' | 'server' | 'internal' | 'producer' | 'consumer';
  readonly attributes?: Attributes;
}

const kinds = {
  client: SpanKind.CLIENT,
  server: SpanKind.SERVER,
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** Begins a trace of its own, if it is one of those that are kept. Whoever begins a span ends it, with `endSpan`. */
export function beginTrace(name: string, { kind = 'internal', attributes = {} }: SpanOptions = {}): Span | undefined {
  const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, ROOT_CONTEXT);
  return span.isRecording() ? span : undefined;
}

/** Goes on with a trace. Whoever begins a span ends it, with `endSpan`. */
export function startSpan(
  name: string,
  within: Span | undefined,
  { kind = 'internal', attributes = {} }: SpanOptions = {},
): Span | undefined {
  if (within === undefined) return undefined;
  return tracer.startSpan(name, { kind: kinds[kind], attributes }, trace.setSpan(ROOT_CONTEXT, within));
}

/** Ends a span; with an error's code if it has failed. Messages may hold addresses, so that they stay in the log. */
export function endSpan(span: Span | undefined, error?: unknown): void {
  if (error === undefined) span?.end();
  else failSpan(span, SidestreamError.from(error).code);
}

/** Ends the span of what has failed. @param reason of a closed list */
export function failSpan(span: Span | undefined, reason: string): void {
  if (span === undefined) return;
  span.setAttribute('error.type', reason);
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Does the work in a span of its own. What it throws passes. */
export function inSpan<T>(
  name: string,
  within: Span | undefined,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  const span = startSpan(name, within, options);
  return span === undefined ? work(undefined) : ended(span, work);
}

async function ended<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    const result = await work(span);
    endSpan(span);
    return result;
  } catch (error) {
    endSpan(span, error);
    throw error;
  }
}

/** The header fields that carry a trace to another process of ours: `traceparent`, if there is a trace. */
export function traceHeaders(span: Span | undefined): Record<string, string> {
  const carrier: Record<string, string> = {};
  if (span !== undefined) propagation.inject(trace.setSpan(ROOT_CONTEXT, span), carrier);
  return carrier;
}

/** The span of another process that a `traceparent` tells; undefined for a trace that is not kept, and for what is no trace context. */
export function remoteSpan(traceparent: string | undefined): Span | undefined {
  if (traceparent === undefined) return undefined;
  const span = trace.getSpan(propagation.extract(ROOT_CONTEXT, { traceparent }));
  const isKept = span !== undefined && (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
  return isKept ? span : undefined;
}
