// What every benchmark gives: figures with their units in the names, ratios taken within one run, and the machine.
import { cpus, loadavg, totalmem } from 'node:os';

/** A figure is a number or a table of numbers, such as one per process. */
export type Figure = number | Readonly<Record<string, number>>;

/** The result of one benchmark, as `--json` prints it. */
export interface Report {
  readonly name: string;
  readonly figures: Readonly<Record<string, Figure>>;
  /** Ours against a peer's or a goal, from the same run. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Why a goal was missed. */
  readonly note?: string;
  readonly machine: Machine;
}

/** Where it ran: absolute figures mean nothing without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** Load average of the last minute when the benchmark began: what else the machine was doing. */
  readonly loadBefore: number;
}

/** Describes this machine, now. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    loadBefore: rounded(loadavg()[0] ?? 0),
  };
}

/** Three significant digits: more would pretend a precision that shared machines do not have. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** The middle value; of an even number of values the lower of the two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** The report for people; `beside` holds a remark to a figure, such as what peers need. */
export function formatReport(report: Report, beside: Readonly<Record<string, string>>): string {
  const { name, figures, ratios, note, machine } = report;
  const lines = [`bench ${name}`];
  for (const [key, figure] of [...Object.entries(figures), ...Object.entries(ratios)]) {
    const text =
      typeof figure === 'number'
        ? String(figure)
        : Object.entries(figure)
            .map(([part, value]) => `${part} ${value}`)
            .join(', ');
    const remark = beside[key];
    lines.push(`  ${key.padEnd(24)} ${text}${remark === undefined ? '' : `   (${remark})`}`);
  }
  if (note !== undefined) lines.push(`  note: ${note}`);
  const { cpu, cores, memoryGiB, node, loadBefore } = machine;
  lines.push(`  machine: ${cores} × ${cpu}, ${memoryGiB} GiB, Node ${node}, load before ${loadBefore}`);
  return lines.join('\n');
}
