// The dashboards as the chart ships them, strictly read: what Grafana would take silently is an error here.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { repository } from './alert-files.js';

export const dashboardFolder = join(repository, 'helm', 'sidestream', 'dashboards');

const datasource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('$datasource') });
const gridPos = z.strictObject({ h: z.int().min(1), w: z.int().min(1).max(24), x: z.int().min(0), y: z.int().min(0) });
/** Units of Grafana that are used here; a wrong one is shown as text behind the number. */
const units = ['short', 'percentunit', 's', 'd', 'bytes', 'cps', 'reqps', 'pps', 'mps'] as const;

const target = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource,
  expr: z.string().min(1),
  legendFormat: z.string().min(1),
  instant: z.literal(true).optional(),
  range: z.boolean(),
  format: z.enum(['table', 'time_series']).optional(),
  exemplar: z.literal(true).optional(),
});
const row = z.strictObject({
  id: z.int(),
  type: z.literal('row'),
  title: z.string().min(3),
  collapsed: z.literal(false),
  gridPos,
  panels: z.tuple([]),
});
const panel = z.strictObject({
  id: z.int(),
  type: z.enum(['stat', 'timeseries', 'table', 'bargauge', 'state-timeline']),
  title: z.string().min(3).max(60),
  description: z.string().min(15).endsWith('.'),
  datasource,
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit: z.enum(units),
      min: z.literal(0).optional(),
      color: z.strictObject({ mode: z.literal('thresholds') }).optional(),
      thresholds: z
        .strictObject({
          mode: z.literal('absolute'),
          steps: z.array(z.strictObject({ color: z.string().min(3), value: z.number().nullable() })),
        })
        .optional(),
      mappings: z
        .array(
          z.strictObject({
            type: z.literal('value'),
            options: z.record(z.string(), z.strictObject({ text: z.string(), color: z.string() })),
          }),
        )
        .optional(),
      noValue: z.string().min(10).optional(),
      custom: z
        .strictObject({
          fillOpacity: z.number(),
          showPoints: z.string(),
          thresholdsStyle: z.strictObject({ mode: z.literal('dashed') }).optional(),
        })
        .optional(),
    }),
    overrides: z.tuple([]),
  }),
  options: z.record(z.string(), z.unknown()),
  transformations: z.array(z.unknown()).optional(),
  targets: z.array(target).min(1),
  gridPos,
});
const variable = z.union([
  z.strictObject({ name: z.literal('datasource'), type: z.literal('datasource'), query: z.literal('prometheus') }),
  z.strictObject({
    name: z.enum(['namespace', 'tenant', 'trunk']),
    type: z.literal('query'),
    query: z.string().regex(/^label_values\(.+, \w+\)$/),
    datasource,
    current: z.strictObject({ text: z.literal('All'), value: z.literal('$__all') }),
    refresh: z.literal(2),
    sort: z.literal(1),
    includeAll: z.literal(true),
    multi: z.literal(true),
    allValue: z.literal('.*'),
  }),
]);
const dashboard = z.strictObject({
  title: z.string().startsWith('Sidestream / '),
  uid: z.string().regex(/^sidestream-[a-z]+$/),
  tags: z.tuple([z.literal('sidestream')]),
  timezone: z.literal(''),
  schemaVersion: z.int(),
  version: z.int(),
  editable: z.boolean(),
  graphTooltip: z.int(),
  refresh: z.string(),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  links: z.array(z.looseObject({ type: z.literal('dashboards') })),
  templating: z.strictObject({ list: z.array(variable) }),
  panels: z.array(z.union([row, panel])),
});

export type Dashboard = z.infer<typeof dashboard>;
export type Panel = z.infer<typeof panel>;
export type Variable = Exclude<z.infer<typeof variable>, { name: 'datasource' }>;

export function dashboards(): Dashboard[] {
  return readdirSync(dashboardFolder)
    .sort()
    .map((name) => dashboard.parse(JSON.parse(readFileSync(join(dashboardFolder, name), 'utf8'))));
}

export function panelsOf({ panels }: Dashboard): Panel[] {
  return panels.filter((one): one is Panel => one.type !== 'row');
}

export function variablesOf({ templating }: Dashboard): Variable[] {
  return templating.list.filter((one): one is Variable => one.name !== 'datasource');
}

/** While what is so, the panel is empty; undefined: never. */
export function emptyWhile({ description }: Panel): string | undefined {
  return / Empty while (.+)\.$/.exec(description)?.[1];
}

/** Where a line is drawn through a panel's curves. */
export function limitOf({ fieldConfig: { defaults } }: Panel): number | undefined {
  if (defaults.custom?.thresholdsStyle === undefined) return undefined;
  return defaults.thresholds?.steps.at(-1)?.value ?? undefined;
}

/** The query as Grafana would send it. */
export function substituted(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\w+)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for $${name} in ${text}`);
    return value;
  });
}

const words = new Set('and or unless bool offset by without on ignoring group_left group_right inf nan'.split(' '));

/** Names of metrics in PromQL: identifiers that are no function, keyword, label or string. */
export function metricNames(promql: string): string[] {
  const bare = promql
    .replace(/#.*$/gm, '')
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '');
  const names = [...bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g)].map(([name]) => name);
  return [...new Set(names)].filter((name) => !words.has(name.toLowerCase()));
}
