// Bounds for every wait.

// One for all: most deadlines pass unheard long after their work, and an error of its own with its stack costs more than a timer.
const passed = Object.assign(new Error('the deadline has passed'), { name: 'TimeoutError' });

/** Aborts when the signal does (with its reason) or the time is over (with a TimeoutError), whatever comes first. */
export function within(signal: AbortSignal | undefined, ms: number): AbortSignal {
  const controller = new AbortController();
  const follow = () => {
    clearTimeout(timer);
    controller.abort(signal?.reason);
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener('abort', follow);
    controller.abort(passed);
  }, ms);
  timer.unref();
  if (signal?.aborted) follow();
  else signal?.addEventListener('abort', follow, { once: true });
  return controller.signal;
}

/**
 * The promise's outcome, or a rejection with the reason of the signal that comes first. Each is listened to by itself: on Node 20
 * AbortSignal.any() leaves something in each of its sources for as long as that lives, and the edge's connection lives for weeks.
 */
export function raced<T>(promise: Promise<T>, ...signals: readonly AbortSignal[]): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => {
      leave();
      reject(signals.find(({ aborted }) => aborted)?.reason);
    };
    const leave = () => {
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    };
    for (const signal of signals) signal.addEventListener('abort', onAbort);
    if (signals.some(({ aborted }) => aborted)) onAbort();
    promise.then(resolve, reject).finally(leave);
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
