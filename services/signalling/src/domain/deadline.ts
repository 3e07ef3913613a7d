// Bounds for every wait.

/** Aborts when the signal does or the time is over, whatever comes first. */
export function within(signal: AbortSignal, ms: number): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  // Node 20 collects a time-out that only AbortSignal.any() knows, and then it never fires; a listener of its own keeps it.
  timeout.addEventListener('abort', ignore, { once: true });
  return AbortSignal.any([signal, timeout]);
}

function ignore(): void {}

/** The promise's outcome, or a rejection with the signal's reason if that comes first. */
export function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Waits until all promises have settled, but not longer than `ms`. True if they did. */
export async function settled(promises: Iterable<Promise<unknown>>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const done = Promise.allSettled(promises).then(() => true);
  const outcome = await Promise.race([done, late]);
  clearTimeout(timer);
  return outcome;
}
