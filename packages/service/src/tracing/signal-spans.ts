// A trace goes where the deadline goes: with the AbortSignal that every port takes. Who makes a signal of another one hands its trace on.
import type { Span } from '@opentelemetry/api';

const spans = new WeakMap<AbortSignal, Span>();

/** The span of the work that the signal bounds, if it has one. */
export function spanOf(signal: AbortSignal | undefined): Span | undefined {
  return signal && spans.get(signal);
}

/** The same signal, of work in this span. */
export function withSpan(signal: AbortSignal, span: Span | undefined): AbortSignal {
  if (span !== undefined) spans.set(signal, span);
  return signal;
}
