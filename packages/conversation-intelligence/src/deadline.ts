/** One signal made of a caller's signal and a time limit. */

/**
 * Runs `work` with a signal that aborts when `signal` does or after `ms`. Rejects with `signal.reason` in the first case, with
 * what `late` makes in the second, at once and whatever `work` does.
 *
 * AbortSignal.any with AbortSignal.timeout would be shorter, but in Node 20 the pair can be collected and never fire.
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  ms: number,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const stop = () => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(late()), ms);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work(controller.signal), rejection(controller.signal)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Waits `ms`; rejects with the signal's reason when it aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
