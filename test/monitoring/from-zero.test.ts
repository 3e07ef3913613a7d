// What alerts take rate() or increase() of is there at 0 in processes that have just begun: the first fault of a kind is seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage } from '../e2e/stage.js';
import { rules } from './alert-files.js';
import { everyService, managementOf } from './every-service.js';

/** A result for whoever cannot tell; no reason of ours has it now. */
const unused = 'sidestream_call_terminations_total{result="indeterminate"}';

interface Counted {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly equal: boolean; readonly values: readonly string[] }[];
}

/** The series selectors under rate() and increase(). Alternatives are those of `a|b`. */
function counted(expression: string): Counted[] {
  return [...expression.matchAll(/(?:rate|increase)\((\w+)(?:\{([^}]*)\})?\[/g)].map(([, metric = '', inner = '']) => ({
    metric,
    matchers: [...inner.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(([, label = '', how = '', value = '']) => ({
      label,
      equal: how.startsWith('='),
      values: value.split('|'),
    })),
  }));
}

/** What each alternative of a selector lacks among these lines. */
function lacking({ metric, matchers }: Counted, lines: readonly string[]): string[] {
  const series = lines.filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));
  const wanted = matchers
    .filter(({ equal }) => equal)
    .flatMap(({ label, values }) => values.map((value) => `${label}="${value}"`));
  if (wanted.length === 0) return series.length > 0 ? [] : [metric];
  return wanted.filter((label) => !series.some((line) => line.includes(label))).map((label) => `${metric}{${label}}`);
}

test('every counter that an alert watches is there before anything has happened', async (t) => {
  const stage = await Stage.start(t, await everyService(t));
  if (!stage) return;
  const pages = managementOf(stage).map(async ([, url]) => {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
    return await response.text();
  });
  const lines = (await Promise.all(pages)).join('\n').split('\n');
  const { alerts, recordings } = rules();
  const all = [...alerts, ...recordings].flatMap(({ expr }) => counted(expr));
  assert.ok(all.length > 30, `${all.length} selectors are known`);
  const lacks = all.flatMap((selector) => lacking(selector, lines));
  assert.deepEqual([...new Set(lacks)].sort(), [unused]);
  for (const line of lines)
    if (/^sidestream_(call_terminations|calls_refused|recordings_missing|calls_to_record)_total\{/.test(line))
      assert.match(line, / 0$/);
});
