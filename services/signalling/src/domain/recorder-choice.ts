// In which order a recording tries its recorders now: the tenant's list, with those behind that are known to fail.
import type { Standing } from './recorder-breaker.js';

export interface RecorderCandidate {
  readonly recorder: string;
  /** Place in the tenant's list; equals share one. */
  readonly place: number;
  /** Sessions of this instance with it, those being set up included. */
  readonly sessions: number;
  readonly maxSessions: number;
  readonly standing: Standing;
}

const ranks: Readonly<Record<Standing, number>> = { usable: 0, doubtful: 1, resting: 2 };

/**
 * The recorders to try, best first: usable ones in the configured order, equals by least sessions; then the doubtful, then those that
 * asked to be left alone, so that there is always one to try. A full one is left out unless all are full: then the first remains, and
 * its refusal says why. Equal load is broken by the given random number in [0, 1), so that instances do not march in step.
 */
export function orderRecorders(candidates: Iterable<RecorderCandidate>, random: () => number): string[] {
  const ranked = [...candidates]
    .map((candidate) => ({ candidate, tie: random() }))
    .sort(
      (a, b) =>
        ranks[a.candidate.standing] - ranks[b.candidate.standing] ||
        a.candidate.place - b.candidate.place ||
        a.candidate.sessions - b.candidate.sessions ||
        a.tie - b.tie,
    )
    .map(({ candidate }) => candidate);
  const open = ranked.filter(({ sessions, maxSessions }) => sessions < maxSessions);
  return (open.length > 0 ? open : ranked.slice(0, 1)).map(({ recorder }) => recorder);
}
