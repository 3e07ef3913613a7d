// `sidestream drain --wait`: asks draining instances for their calls until there are none.
import { setTimeout as delay } from 'node:timers/promises';
import { callUnary } from '@sidestream/service';
import type { SignallingInstance } from '../signalling-instances.js';
import { askAll } from './ask-all.js';

/** What an instance says of itself. */
export interface DrainState {
  readonly instance: string;
  readonly draining: boolean;
  readonly calls: number;
}

export interface Listener {
  readonly onChange: (state: DrainState) => void;
  /** It does not answer any more: it has ended, with its last call or before. */
  readonly onGone: (state: DrainState) => void;
}

const deadlineMs = 15_000;
const againMs = 1_000;
/** Polls in a row without an answer, after which nobody is there any more. */
const mostSilent = 3;

/**
 * Tells each change; ends when no instance has a call, takes calls again, or the time is over.
 *
 * @param begun what those said who took the drain, by the id of the instance; no other is waited for
 * @returns what they said last, without those that are gone
 */
export async function waitUntilEmpty(
  instances: readonly SignallingInstance[],
  begun: ReadonlyMap<string, DrainState>,
  withinMs: number,
  { onChange, onGone }: Listener,
): Promise<DrainState[]> {
  const end = performance.now() + withinMs;
  const known = new Map(begun);
  const silences = new Map<string, number>();
  const isOpen = ({ draining, calls }: DrainState) => draining && calls > 0;
  while ([...known.values()].some(isOpen) && performance.now() < end) {
    await delay(Math.min(againMs, Math.max(0, end - performance.now())));
    const asked = instances.filter(({ id }) => known.has(id));
    const bounds = { deadlineMs: Math.min(deadlineMs, Math.max(1, end - performance.now())) };
    const { heard, silent } = await askAll(asked, async ({ id, client }) => {
      const request = { tenant: '', activity: false, countOnly: true };
      const { instance, draining, live, calls } = await callUnary(client.listCalls.bind(client), request, bounds);
      return { id, state: { instance, draining, calls: Math.max(live, calls.length) } };
    });
    for (const { id, state } of heard) {
      const before = known.get(id);
      silences.delete(id);
      known.set(id, state);
      if (before?.calls !== state.calls || before.draining !== state.draining) onChange(state);
    }
    for (const { instance: id } of silent) {
      const [last, times] = [known.get(id), (silences.get(id) ?? 0) + 1];
      silences.set(id, times);
      if (last === undefined || times < mostSilent) continue;
      known.delete(id);
      onGone(last);
    }
  }
  return [...known.values()];
}
