// The words of the system that a runbook may use: keys, metrics, values that code compares with or tells.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchema } from '@sidestream/service';
import { parse } from 'yaml';
import { z } from 'zod';
import { repository } from './alert-files.js';

const schema = z.looseObject({
  properties: z.record(z.string(), z.unknown()).default({}),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).default([]),
  oneOf: z.array(z.unknown()).default([]),
  allOf: z.array(z.unknown()).default([]),
});

/** Paths of all keys of sidestream.yaml (`tenants.*.recording.mode`), below `config.` those that the chart takes, and the chart's values. */
export function keyPaths(): Set<string> {
  const paths = new Set<string>();
  const walk = (node: unknown, at: string): void => {
    const read = schema.safeParse(node);
    if (!read.success) return;
    const { properties, additionalProperties, items, anyOf, oneOf, allOf } = read.data;
    for (const [key, value] of Object.entries(properties)) {
      const path = at === '' ? key : `${at}.${key}`;
      paths.add(path);
      walk(value, path);
    }
    walk(additionalProperties, `${at}.*`);
    for (const part of [items, ...anyOf, ...oneOf, ...allOf]) walk(part, at);
  };
  walk(configJsonSchema(), '');
  walk(JSON.parse(readFileSync(join(repository, 'helm', 'sidestream', 'values.schema.json'), 'utf8')), '');
  return paths;
}

/** Whether it ends the path of a key, whole segments of it. */
export function isKey(paths: ReadonlySet<string>, name: string): boolean {
  return paths.has(name) || [...paths].some((path) => path.endsWith(`.${name}`));
}

/** Names of docs/metrics.md with the suffixes of histograms, which a test holds against running services. */
export function metricsOfThePage(): Set<string> {
  const page = readFileSync(join(repository, 'docs', 'metrics.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (\w+)/gm)];
  const others = [...page.matchAll(/`((?:rtpengine|nodejs|process)_\w+)`/g)].map(([, name = '']) => name);
  return new Set([
    ...rows.flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`).concat(name) : [name],
    ),
    ...others,
  ]);
}

/** The text of every source that is shipped. */
export function sources(): string {
  const roots = ['packages', 'services', 'cli'].map((name) => join(repository, name));
  return roots
    .flatMap((root) =>
      readdirSync(root, { recursive: true, encoding: 'utf8' })
        .filter((name) => /(^|\/)src\/.*\.ts$/.test(name) && !/node_modules|\.test\.ts$/.test(name))
        .map((name) => readFileSync(join(root, name), 'utf8')),
    )
    .join('\n');
}

/** Components of the chart and the names of its containers. */
export function chartNames(): string {
  const folder = join(repository, 'helm', 'sidestream', 'templates');
  return readdirSync(folder)
    .filter((name) => /\.(yaml|tpl)$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

/** Severities that the rules use. */
export function severities(): Set<string> {
  const folder = join(repository, 'helm', 'sidestream', 'alerts');
  const text = readdirSync(folder).map((name) => JSON.stringify(parse(readFileSync(join(folder, name), 'utf8'))));
  return new Set([...text.join('').matchAll(/"severity":"(\w+)"/g)].map(([, name = '']) => name));
}
