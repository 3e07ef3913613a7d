// `sidestream drain`: keeps new calls out of signalling instances, and tells how their live ones end.
import { setTimeout as delay } from 'node:timers/promises';
import { callUnary, SidestreamError } from '@sidestream/service';
import { say } from '../answered.js';
import type { SignallingInstance } from '../signalling-instances.js';
import { askAll, onInstances, tellSilent } from './ask-all.js';
import type { CallsOptions } from './calls.js';

export interface DrainOptions extends CallsOptions {
  /** Of all that there are, this one. */
  readonly instance?: string;
  readonly all: boolean;
  readonly undo: boolean;
  /** Waits so many seconds at most until the last call is over; undefined: doesn't wait. */
  readonly wait?: number;
}

/** What an instance says of itself. */
interface State {
  readonly instance: string;
  readonly draining: boolean;
  readonly calls: number;
}

const deadlineMs = 15_000;
const againMs = 1_000;

/** Without `instance`, `address` and `all` there must be one instance only. @returns the exit code */
export function drain(options: DrainOptions): Promise<number> {
  const { instance, all, undo, wait, json } = options;
  return onInstances(options, async (instances) => {
    const chosen = instance === undefined ? instances : instances.filter(({ id }) => id === instance);
    const ids = instances.map(({ id }) => id).join(', ');
    if (chosen.length === 0) throw new SidestreamError('bad-request', `no instance '${instance}': there are ${ids}`);
    if (chosen.length > 1 && !all) throw new SidestreamError('bad-request', `--instance or --all is needed: of ${ids}`);
    const { heard, silent } = await askAll(chosen, ({ client }) =>
      callUnary(client.drain.bind(client), { undo }, { deadlineMs }),
    );
    const show = (state: State) => json || say(describe(state));
    for (const state of heard) show(state);
    const ended = wait === undefined ? heard : await waitUntilEmpty(chosen, heard, wait, show);
    if (json) say(JSON.stringify({ instances: ended, silent }, null, 2));
    const unanswered = tellSilent(silent);
    return wait === undefined ? unanswered : Math.max(unanswered, tellUnfinished(ended, wait));
  });
}

/** Tells each change; ends when no instance has a call, takes calls again, or the time is over. */
async function waitUntilEmpty(
  chosen: readonly SignallingInstance[],
  begun: readonly State[],
  seconds: number,
  onChange: (state: State) => void,
): Promise<State[]> {
  const end = performance.now() + seconds * 1_000;
  const known = new Map(begun.map((state) => [state.instance, state]));
  const isOpen = ({ draining, calls }: State) => draining && calls > 0;
  while ([...known.values()].some(isOpen) && performance.now() < end) {
    await delay(Math.min(againMs, Math.max(0, end - performance.now())));
    // Who does not answer now may do so the next time, or has ended with its last call.
    const { heard } = await askAll(chosen, ({ client }) =>
      callUnary(client.listCalls.bind(client), { tenant: '', activity: false }, { deadlineMs }),
    );
    for (const { instance, draining, calls: live } of heard) {
      const state = { instance, draining, calls: live.length };
      const before = known.get(instance);
      known.set(instance, state);
      if (before?.calls !== state.calls || before.draining !== draining) onChange(state);
    }
  }
  return [...known.values()];
}

/** @returns the exit code */
function tellUnfinished(states: readonly State[], seconds: number): number {
  const faults = states.flatMap(({ instance, draining, calls }) => {
    if (!draining) return [`${instance}: takes calls again: somebody has undone the drain`];
    return calls > 0 ? [`${instance}: ${calls} calls live after ${seconds} s`] : [];
  });
  for (const fault of faults) process.stderr.write(`sidestream: ${fault}\n`);
  return faults.length > 0 ? 1 : 0;
}

function describe({ instance, draining, calls }: State): string {
  return `${instance} ${draining ? 'drains: new calls hear 503' : 'takes calls'}; ${calls} live`;
}
