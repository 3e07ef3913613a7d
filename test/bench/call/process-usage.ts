// What a process has used so far, from /proc.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@sidestream/peers';
import { z } from 'zod';

/** The kernel counts CPU time in /proc in ticks of 1/100 s (USER_HZ), whatever its own timer does. */
const msPerTick = 10;

/** CPU time of a process and its threads, user and system, in ms. @throws Error when the process is gone */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

/** Proportional set size in kB: shared pages count by the number of those who share them. */
export function pssKb(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kB = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  if (kB === undefined) throw new Error('the kernel tells no Pss');
  return Number(kB);
}

/** Resident set size in kB. @throws Error when the process is gone */
export function rssKb(pid: number): number {
  const kB = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kB === undefined) throw new Error(`process ${pid} has no memory any more`);
  return Number(kB);
}

const collectedSchema = z.object({ count: z.number(), liveKb: z.number(), timers: z.number() });

/**
 * Makes a process that collectChildren() started collect its heap.
 * @returns what lives in its heap and outside of it for its objects, in kB, and how many timers are among it
 */
export async function collect(pid: number, directory: string): Promise<{ liveKb: number; timers: number }> {
  const read = () => {
    try {
      return collectedSchema.parse(JSON.parse(readFileSync(join(directory, `${pid}.collected`), 'utf8')));
    } catch {
      return { count: 0, liveKb: Number.NaN, timers: Number.NaN };
    }
  };
  const before = read().count;
  process.kill(pid, 'SIGUSR2');
  await eventually(() => read().count > before, `process ${pid} collects its heap`, 10_000);
  return read();
}
