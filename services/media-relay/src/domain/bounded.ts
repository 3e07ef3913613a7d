// Deadlines: one that ends earlier when the whole thing stops, and one that does not end with the work that it belongs to. Not AbortSignal.any: Node 20 collects what it returns while somebody waits.
import { SidestreamError, spanOf, withSpan } from '@sidestream/service';

/** Does the work with a signal that aborts after `deadlineMs`, or as `stopping` does. */
export async function bounded<T>(
  deadlineMs: number,
  stopping: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(stopping.reason);
  const late = () => controller.abort(new SidestreamError('deadline-exceeded', `no answer within ${deadlineMs} ms`));
  const timer = setTimeout(late, deadlineMs);
  stopping.addEventListener('abort', stop, { once: true });
  try {
    stopping.throwIfAborted();
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener('abort', stop);
  }
}

/** A deadline of its own for what belongs to the work of another signal, and to its trace, and may last longer. */
export function apart(deadlineMs: number, of: AbortSignal | undefined): AbortSignal {
  return withSpan(AbortSignal.timeout(deadlineMs), spanOf(of));
}
