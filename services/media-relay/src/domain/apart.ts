// A deadline that does not end with the work that it belongs to.
import { spanOf, withSpan } from '@sidestream/service';

/** A deadline of its own for what belongs to the work of another signal, and to its trace, and may last longer. */
export function apart(deadlineMs: number, of: AbortSignal | undefined): AbortSignal {
  return withSpan(AbortSignal.timeout(deadlineMs), spanOf(of));
}
