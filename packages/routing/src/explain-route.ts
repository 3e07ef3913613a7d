// Why a call goes where it goes, in words: the same routing as a call's, told step by step.
import type { CallNumber } from './number-plan.js';
import { requestUriAt, type Target } from './target.js';
import type { RouteQuery, TrunkTable } from './trunk-table.js';

export interface Explanation {
  readonly called: CallNumber;
  readonly calling: CallNumber;
  /** Each in words, in order. */
  readonly steps: readonly string[];
  /** In the order in which they are tried; equals, which share the calls by weight, as they are configured. */
  readonly targets: readonly (Pick<Target, 'priority' | 'weight'> & { readonly trunk: string; readonly uri: string })[];
}

/** Routes a call without placing it. */
export function explainRoute(table: TrunkTable, query: RouteQuery): Explanation {
  const steps: string[] = [];
  const routing = table.route(query, (step) => steps.push(step));
  // The first in the list is drawn every time.
  const targets = table
    .candidates(routing, () => 0)
    .map((candidate) => {
      const { priority, weight, trunk, user } = candidate;
      return { trunk: trunk.name, uri: requestUriAt(candidate, user), priority, weight };
    });
  for (const [index, { trunk, uri, priority, weight }] of targets.entries())
    steps.push(`target ${index + 1} of trunk ${trunk}: INVITE ${uri} (priority ${priority}, weight ${weight})`);
  if (targets.length === 0) steps.push('nothing takes the call: the caller hears 404');
  return { called: routing.called, calling: routing.calling, steps, targets };
}
