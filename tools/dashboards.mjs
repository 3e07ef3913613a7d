// Makes Grafana's JSON of the dashboards in deploy/dashboards: there a panel is a few lines, here is what they all have in common.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const datasource = { type: 'prometheus', uid: '$datasource' };
const colours = { red: 'semi-dark-red', yellow: 'semi-dark-yellow', green: 'semi-dark-green', none: 'text' };
const height = 7;

/** By file name: the dashboards of a folder of descriptions, as JSON text with a line for each panel. */
export function dashboards(folder) {
  return new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => [
        name.replace('.yaml', '.json'),
        dashboard(name.slice(0, -5), readFileSync(join(folder, name), 'utf8')),
      ]),
  );
}

function dashboard(name, text) {
  const { title, variables, rows } = parse(text);
  const { panels, ...rest } = {
    title,
    uid: `sidestream-${name}`,
    tags: ['sidestream'],
    timezone: '',
    schemaVersion: 39,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    links: [{ type: 'dashboards', title: 'Sidestream', tags: ['sidestream'], keepTime: true, includeVars: true }],
    templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus' }, ...variables.map(variable)] },
    panels: [...placed(rows)],
  };
  const head = JSON.stringify(rest, null, 1).replace(/\n}$/, '');
  return `${head},\n "panels": [\n${panels.map((panel) => `  ${JSON.stringify(panel)}`).join(',\n')}\n ]\n}\n`;
}

/** "All" is everything, also what has no such label: outside a cluster there are no namespaces. */
function variable({ name, of }) {
  const common = { datasource, refresh: 2, sort: 1, includeAll: true, multi: true, allValue: '.*' };
  const where = name === 'namespace' ? '' : '{namespace=~"$namespace"}';
  return {
    name,
    type: 'query',
    query: `label_values(${of}${where}, ${name})`,
    current: { text: 'All', value: '$__all' },
    ...common,
  };
}

function* placed(rows) {
  let id = 0;
  let y = 0;
  for (const { title, panels } of rows) {
    yield { id: ++id, type: 'row', title, collapsed: false, gridPos: { h: 1, w: 24, x: 0, y: y++ }, panels: [] };
    let x = 0;
    let tallest = 0;
    for (const described of panels) {
      const [w, h] = [described.width ?? 8, described.kind === 'stat' ? 4 : height];
      if (x + w > 24) [x, y, tallest] = [0, y + tallest, 0];
      yield { id: ++id, ...panel(described), gridPos: { h, w, x, y } };
      [x, tallest] = [x + w, Math.max(tallest, h)];
    }
    y += tallest;
  }
}

function panel({ title, about, kind = 'timeseries', unit, levels, limit, states, empty, queries }) {
  const instant = kind === 'stat' || kind === 'table' || kind === 'bargauge';
  const targets = Object.entries(queries).map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource,
    expr: expr.trim().replace(/\s+/g, ' '),
    legendFormat,
    ...(instant
      ? { instant: true, range: false, format: kind === 'table' ? 'table' : 'time_series' }
      : { range: true }),
    ...(kind === 'timeseries' && expr.includes('_bucket') && { exemplar: true }),
  }));
  const line = limit === undefined ? '' : ' An alert begins at the dashed line.';
  return {
    type: kind,
    title,
    description: `${about}${line}${empty === undefined ? '' : ` Empty while ${empty}.`}`,
    datasource,
    fieldConfig: {
      // Instead of `No data`, which looks like a fault.
      defaults: {
        unit,
        ...(empty !== undefined && { noValue: empty }),
        ...appearance(kind, { levels, limit, states }),
      },
      overrides: [],
    },
    options: options(kind),
    ...(kind === 'table' && {
      transformations: [{ id: 'organize', options: { excludeByName: { Time: true, __name__: true } } }],
    }),
    targets,
  };
}

/** `levels` is a colour, then borders and the colours from there on; `limit` a line where an alert begins; `states` names values. */
function appearance(kind, { levels, limit, states }) {
  const steps = levels
    ?.filter((_, index) => index % 2 === 0)
    .map((colour, index) => ({
      color: colours[colour],
      value: index === 0 ? null : levels[index * 2 - 1],
    }));
  const mapped = Object.entries(states ?? {}).map(([value, [text, colour]]) => [
    value,
    { text, color: colours[colour] },
  ]);
  return {
    ...(steps && { color: { mode: 'thresholds' }, thresholds: { mode: 'absolute', steps } }),
    ...(states && { mappings: [{ type: 'value', options: Object.fromEntries(mapped) }] }),
    ...(kind === 'timeseries' && { min: 0, custom: { fillOpacity: 10, showPoints: 'never' } }),
    ...(limit !== undefined && {
      custom: { fillOpacity: 10, showPoints: 'never', thresholdsStyle: { mode: 'dashed' } },
      thresholds: {
        mode: 'absolute',
        steps: [
          { color: 'transparent', value: null },
          { color: colours.red, value: limit },
        ],
      },
    }),
  };
}

function options(kind) {
  const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false };
  switch (kind) {
    case 'stat':
      return { reduceOptions, colorMode: 'background_solid', graphMode: 'none', textMode: 'auto' };
    case 'bargauge':
      return { reduceOptions, displayMode: 'basic', orientation: 'horizontal' };
    case 'state-timeline':
      return {
        showValue: 'auto',
        mergeValues: true,
        legend: { displayMode: 'list', placement: 'bottom', showLegend: false },
      };
    case 'timeseries':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    default:
      return {};
  }
}
