/** The signalling instances that do not answer, or are gone: since when, and what that means for what is shown. Pure. */
import type { Call, Instance, LiveCalls } from '../api/shapes.js';

/** The answer with the time at which each silent or lost instance was first found so, where the gateway does not tell it. */
export function dated(answer: LiveCalls, before: readonly Instance[] = [], nowMs: number): LiveCalls {
  const instances = answer.instances.map((one) => {
    if (one.state === 'live' || one.since !== undefined) return one;
    const known = before.find(({ instance, state }) => instance === one.instance && state === one.state);
    return { ...one, since: known?.since ?? new Date(nowMs).toISOString() };
  });
  return { ...answer, instances };
}

/** Since when the call's instance does not answer; undefined while it does. */
export function silentSince(call: Call, instances: readonly Instance[]): string | undefined {
  if (call.silent !== true) return undefined;
  return instances.find(({ instance }) => instance === call.instance)?.since;
}

/** What an operator has to be told of an instance; undefined while it answers. */
export function instanceTrouble({ instance, state, calls }: Instance): string | undefined {
  if (state === 'silent') {
    if (calls === 0) return `Instance ${instance} is not answering. No call of it is known.`;
    const those = calls === 1 ? '1 call is shown as last known; it' : `${calls} calls are shown as last known; they`;
    return `Instance ${instance} is not answering. ${those} may well go on.`;
  }
  if (state === 'gone') return `Instance ${instance} is gone, and its calls with it.`;
  return undefined;
}
