// A deadline that ends earlier when the whole thing stops. Not AbortSignal.any: Node 20 collects what it returns while somebody waits.
import { SidestreamError } from './errors.js';

/**
 * Does the work with a signal that aborts after `deadlineMs`, with a SidestreamError `deadline-exceeded`, or as `stopping` does.
 * What the work throws passes.
 */
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
