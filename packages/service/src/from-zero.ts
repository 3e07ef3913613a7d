// Counters whose series are there before anything has happened: rate() and increase() see only what a counter does after its first
// scrape, so that the first fault of a kind would wake nobody.
import type { Counter } from 'prom-client';

/** Values of each label: names of the configuration, or a closed list. */
export type LabelValues<T extends string> = Readonly<Record<T, readonly string[]>>;

/** Makes the series of every combination of these values, at 0. What the counter has counted already stays. */
export function fromZero<T extends string>(counter: Pick<Counter<T>, 'inc'>, values: LabelValues<T>): void {
  for (const labels of combinations<T>(Object.entries(values) as [T, readonly string[]][])) counter.inc(labels, 0);
}

function combinations<T extends string>([first, ...others]: readonly [T, readonly string[]][]): Partial<
  Record<T, string>
>[] {
  if (first === undefined) return [{}];
  const [label, values] = first;
  return values.flatMap((value) =>
    combinations(others).map((rest) => ({ [label]: value, ...rest }) as Partial<Record<T, string>>),
  );
}
