// One question to every signalling instance, for the commands that are about all of them.
import { answered } from '../answered.js';
import { callError } from '../control-plane.js';
import { type SignallingInstance, withSignalling } from '../signalling-instances.js';

/** Runs a command on the instances that there are. */
export function onInstances(
  { config: file, address }: { readonly config: string; readonly address?: string | undefined },
  command: (instances: readonly SignallingInstance[]) => Promise<number>,
): Promise<number> {
  return answered(file, (config) => withSignalling({ config, address }, command));
}

export interface Silent {
  readonly instance: string;
  readonly error: string;
}

/** Asks all instances at once; one that fails keeps nobody from being told of the others. */
export async function askAll<R>(
  instances: readonly SignallingInstance[],
  ask: (instance: SignallingInstance) => Promise<R>,
): Promise<{ readonly heard: R[]; readonly silent: Silent[] }> {
  const heard: R[] = [];
  const silent: Silent[] = [];
  const answers = await Promise.allSettled(instances.map(ask));
  for (const [index, { id, who }] of instances.entries()) {
    const answer = answers[index];
    if (answer?.status === 'fulfilled') heard.push(answer.value);
    else silent.push({ instance: id, error: callError(who, answer?.reason).message });
  }
  return { heard, silent };
}

/** @returns the exit code */
export function tellSilent(silent: readonly Silent[]): number {
  for (const { instance, error } of silent) process.stderr.write(`sidestream: ${instance}: ${error}\n`);
  return silent.length > 0 ? 1 : 0;
}
