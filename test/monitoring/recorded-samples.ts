// What a Prometheus has recorded, as the input of a promtool test: the same values, a production's scrape interval apart.
import type { Series } from './prometheus-client.js';

export interface Replay {
  readonly series: readonly Series[];
  /** Between the scrapes that were recorded. */
  readonly recordedSeconds: number;
  /** Between the same samples when they are played. */
  readonly playedSeconds: number;
}

/** The steps that a replay has. */
export function stepsOf({ series, recordedSeconds }: Replay): number {
  const [first, last] = span(series);
  return Math.round((last - first) / recordedSeconds);
}

/** The `input_series` of a promtool test. A value that was not scraped is `_`. */
export function inputSeries(replay: Replay): { series: string; values: string }[] {
  const [first] = span(replay.series);
  const steps = stepsOf(replay);
  return replay.series.map(({ metric, values }) => {
    const played = new Array<string>(steps + 1).fill('_');
    for (const [time, value] of values) played[Math.round((time - first) / replay.recordedSeconds)] = value;
    return { series: seriesName(metric), values: played.join(' ') };
  });
}

function span(series: readonly Series[]): [first: number, last: number] {
  const times = series.flatMap(({ values }) => values.map(([time]) => time));
  return [Math.min(...times), Math.max(...times)];
}

function seriesName({ __name__ = '', ...labels }: Readonly<Record<string, string>>): string {
  return `${__name__}{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}}`;
}
