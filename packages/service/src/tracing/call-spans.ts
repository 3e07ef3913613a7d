// The spans of the calls that this process has in hand: what is done for a call finds its trace by the call's id, which is that of its media
// session as well, and log lines that name a call or a session name its trace. One for the process, as its log is. Holds calls whose trace is
// kept, and no others.
import type { Span } from '@opentelemetry/api';
import type { Logger } from 'pino';

const spans = new Map<string, Span>();
/** The call of a logger whose lines are all of one; '' of others. */
const callOfLogger = new WeakMap<Logger, string>();

/** From now on this call has a trace. */
export function setCallSpan(callId: string, span: Span): void {
  spans.set(callId, span);
}

/** The span of a call, if it has one. */
export function callSpan(callId: string): Span | undefined {
  return spans.get(callId);
}

/** The call is over. Returns its span, for who ends it. */
export function takeCallSpan(callId: string): Span | undefined {
  const span = spans.get(callId);
  spans.delete(callId);
  return span;
}

/** What a log line says of traces: the ids of its call's one, by the line's own `call` or `session`, or the logger's `call`. */
export function loggedIds(line: object, logger: Logger): { readonly trace_id?: string; readonly span_id?: string } {
  if (spans.size === 0) return {};
  const ids = spans.get(ofLine(line) ?? ofLogger(logger))?.spanContext();
  return ids === undefined ? {} : { trace_id: ids.traceId, span_id: ids.spanId };
}

function ofLine(line: { readonly call?: unknown; readonly session?: unknown }): string | undefined {
  const { call = line.session } = line;
  return typeof call === 'string' ? call : undefined;
}

function ofLogger(logger: Logger): string {
  const known = callOfLogger.get(logger);
  if (known !== undefined) return known;
  const { call } = logger.bindings();
  const callId = typeof call === 'string' ? call : '';
  callOfLogger.set(logger, callId);
  return callId;
}
