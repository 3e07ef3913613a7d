// Runs checks side by side. Whatever a probe meets, silence, garbage or an answer without end, it ends at its deadline.
import { type Check, type Finding, fail, type Probe, type Result, skipped } from './check.js';
import type { Examined } from './examined.js';
import { reasonOf } from './reason.js';

/** Of one check; a deployment with a hundred tenants must not open everything at a time. */
const probesAtOnce = 16;

/**
 * Runs all checks; never rejects.
 *
 * @param onDone told of each check as it ends, with what it took
 */
export async function runChecks(
  checks: readonly Check[],
  examined: Examined,
  onDone: (check: Check, results: readonly Result[], ms: number) => void,
): Promise<Result[]> {
  const all = checks.map(async (check) => {
    const begunMs = performance.now();
    const results = (await findingsOf(check, examined)).map((finding) => ({ name: check.name, ...finding }));
    onDone(check, results, performance.now() - begunMs);
    return results;
  });
  return (await Promise.all(all)).flat();
}

async function findingsOf(check: Check, examined: Examined): Promise<Finding[]> {
  let probes: readonly Probe[];
  try {
    probes = check.probes(examined);
  } catch (error) {
    return [fail(examined.file, reasonOf(error), 'this is a fault of the doctor: tell its authors')];
  }
  if (probes.length === 0) return [skipped(examined.file, 'there is nothing of the kind in this deployment')];
  const found: (readonly Finding[])[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < probes.length; at = next++) {
      const probe = probes[at];
      if (probe !== undefined) found[at] = await withinDeadline(probe, examined.timeoutMs);
    }
  };
  await Promise.all(Array.from({ length: probesAtOnce }, work));
  return found.flat();
}

/** The deadline is a timer of its own: on Node 20 a signal of AbortSignal.timeout() may never fire. */
function withinDeadline(probe: Probe, timeoutMs: number): Promise<readonly Finding[]> {
  const deadline = new AbortController();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      const what = `no answer within ${timeoutMs / 1_000} s`;
      resolve([probe.atDeadline === 'skipped' ? skipped(probe.where, what) : fail(probe.where, what, probe.todo)]);
      deadline.abort(new Error('the deadline has passed'));
    }, timeoutMs);
    void Promise.resolve()
      .then(() => probe.run(deadline.signal))
      .catch((error: unknown) => [fail(probe.where, reasonOf(error), probe.todo)])
      .then(resolve)
      .finally(() => clearTimeout(timer));
  });
}
