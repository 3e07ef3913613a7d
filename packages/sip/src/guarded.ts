// The line between this package and the code above it: what a listener or callback throws is told, and stops nothing else.

/** Hears of what the code above has thrown. */
export type OnFault = (error: Error) => void;

/** Runs code that may throw anything; the outcome is told to `onFault` and goes no further. */
export function guarded(run: () => unknown, onFault: OnFault): void {
  try {
    run();
  } catch (thrown) {
    try {
      onFault(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } catch {
      // Nobody is left to tell when the one who hears of faults has a fault.
    }
  }
}
