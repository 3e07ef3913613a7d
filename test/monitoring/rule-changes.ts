// The rules of a file with one threshold changed, or one alert told to wait not at all or very long: each must be noticed.
import { parse } from 'yaml';
import { type RuleFile, ruleFile } from './alert-files.js';

export interface AlertChanges {
  readonly alert: string;
  /** The alert with what it is computed from, as it is; and changed. Without the rest of its group promtool is much faster. */
  readonly unchanged: string;
  readonly changes: readonly { readonly what: string; readonly changed: string }[];
}

/** By alert; a threshold is a number behind `<` or `>`. Those of the recorded series have none. */
export function changesOf(rulesText: string): AlertChanges[] {
  const read = (): RuleFile => ruleFile.parse(parse(rulesText));
  return read().groups.flatMap(({ rules }, group) =>
    rules.flatMap((rule, index) => {
      if (!('alert' in rule)) return [];
      const { alert, expr } = rule;
      const change = (what: string, values: Partial<typeof rule>) => {
        const file = read();
        const { name = '', rules: own = [] } = file.groups[group] ?? {};
        const spoiled = Object.assign(own[index] ?? {}, values);
        return { what, changed: JSON.stringify({ groups: [{ name, rules: [...neededFor(expr, own), spoiled] }] }) };
      };
      const thresholds = [...expr.matchAll(/[<>] ([\d.]+)/g)].flatMap(({ index: at, 0: all, 1: number = '' }) =>
        others(Number(number)).map((value) =>
          change(`${all} at ${at} is ${value}`, {
            expr: `${expr.slice(0, at)}${all.slice(0, 2)}${value}${expr.slice(at + all.length)}`,
          }),
        ),
      );
      const durations = rule.for === undefined ? [] : ['0s', '1w'];
      return [
        {
          alert,
          unchanged: change('nothing', {}).changed,
          changes: [...thresholds, ...durations.map((value) => change(`for ${value}`, { for: value }))],
        },
      ];
    }),
  );
}

/** The recording rules that an expression asks for, directly or not, in their order. */
function neededFor(expr: string, own: RuleFile['groups'][number]['rules']): RuleFile['groups'][number]['rules'] {
  const needed = new Set<object>();
  const add = (text: string): void => {
    for (const one of own)
      if ('record' in one && text.includes(one.record) && !needed.has(one)) {
        needed.add(one);
        add(one.expr);
      }
  };
  add(expr);
  return own.filter((one) => needed.has(one));
}

/** Twice and half as much; of nothing there is only more. */
function others(value: number): number[] {
  return value === 0 ? [1_000] : [value * 2, value / 2];
}
