// CPU profiles of the services under load, and where the time went in each of them.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { profileChildren } from '../config.js';

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** Functions that a summary names for each process. */
const named = 25;

/** Makes every Node process that is started from now on leave a profile in the directory when it ends. */
export function startProfiling(directory: string): void {
  profileChildren(resolve(directory));
}

/** One line for each function that took the most time itself, by process; a process shows by its files' folder. */
export function profileSummary(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.cpuprofile'))
    .flatMap((file) => summary(join(directory, file)));
}

function summary(file: string): string[] {
  const { nodes, samples, timeDeltas } = profileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const self = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '?';
    self.set(name, (self.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  for (const idle of ['(idle)', '(program)', '(root)']) self.delete(idle);
  const total = [...self.values()].reduce((sum, us) => sum + us, 0);
  const service = nodes
    .map(({ callFrame }) => /services\/([^/]+)\/dist\/main\.js$/.exec(callFrame.url)?.[1])
    .find(Boolean);
  const top = [...self].sort(([, a], [, b]) => b - a).slice(0, named);
  return [
    `${service ?? basename(file)}: ${(total / 1_000_000).toFixed(1)} s busy`,
    ...top.map(([name, us]) => `  ${((us / total) * 100).toFixed(1).padStart(5)} %  ${name}`),
  ];
}

function nameOf({ functionName, url, lineNumber }: { functionName: string; url: string; lineNumber: number }): string {
  const place = url === '' ? '' : ` ${url.replace(/^.*\/(node_modules|packages|services)\//, '')}:${lineNumber + 1}`;
  return `${functionName === '' ? '(anonymous)' : functionName}${place}`;
}
