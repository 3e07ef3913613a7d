// `sidestream drain`: keeps new calls out of signalling instances, and tells how their live ones end.
import { callUnary, SidestreamError } from '@sidestream/service';
import { say } from '../answered.js';
import { askAll, onInstances, tellSilent } from './ask-all.js';
import type { CallsOptions } from './calls.js';
import { type DrainState, waitUntilEmpty } from './wait-until-empty.js';

export interface DrainOptions extends CallsOptions {
  /** Of all that there are, this one. */
  readonly instance?: string;
  readonly all: boolean;
  readonly undo: boolean;
  /** Waits so many seconds at most until the last call is over; undefined: doesn't wait. */
  readonly wait?: number;
}

const deadlineMs = 15_000;

/** Without `instance`, `address` and `all` there must be one instance only. @returns the exit code */
export function drain(options: DrainOptions): Promise<number> {
  const { instance, all, undo, wait, json } = options;
  return onInstances(options, async (instances) => {
    const chosen = instance === undefined ? instances : instances.filter(({ id }) => id === instance);
    const ids = instances.map(({ id }) => id).join(', ');
    if (chosen.length === 0) throw new SidestreamError('bad-request', `no instance '${instance}': there are ${ids}`);
    if (chosen.length > 1 && !all) throw new SidestreamError('bad-request', `--instance or --all is needed: of ${ids}`);
    const { heard, silent } = await askAll(chosen, async ({ id, client }) => {
      const state = await callUnary(client.drain.bind(client), { undo }, { deadlineMs });
      return [id, state] as const;
    });
    const begun = new Map<string, DrainState>(heard);
    const onChange = (state: DrainState) => json || say(describe(state));
    for (const state of begun.values()) onChange(state);
    const ended =
      wait === undefined
        ? [...begun.values()]
        : await waitUntilEmpty(chosen, begun, wait * 1_000, { onChange, onGone: tellGone });
    if (json) say(JSON.stringify({ instances: ended, silent }, null, 2));
    const unanswered = tellSilent(silent);
    return wait === undefined ? unanswered : Math.max(unanswered, tellUnfinished(ended, wait));
  });
}

/** @returns the exit code */
function tellUnfinished(states: readonly DrainState[], seconds: number): number {
  const faults = states.flatMap(({ instance, draining, calls }) => {
    if (!draining) return [`${instance}: takes calls again: somebody has undone the drain`];
    return calls > 0 ? [`${instance}: ${calls} calls live after ${seconds} s`] : [];
  });
  for (const fault of faults) process.stderr.write(`sidestream: ${fault}\n`);
  return faults.length > 0 ? 1 : 0;
}

function tellGone({ instance, calls }: DrainState): void {
  process.stderr.write(`sidestream: ${instance}: does not answer any more; it had ${calls} calls\n`);
}

function describe({ instance, draining, calls }: DrainState): string {
  return `${instance} ${draining ? 'drains: new calls hear 503' : 'takes calls'}; ${calls} live`;
}
