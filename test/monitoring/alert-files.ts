// The alert rules as files: what Prometheus, promtool and the chart read, and the runbooks that they name.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const alertFolder = join(repository, 'helm', 'sidestream', 'alerts');
export const alertTestFolder = join(repository, 'test', 'monitoring', 'promtool');
export const runbookFolder = join(repository, 'docs', 'runbooks');

const alertRule = z.strictObject({
  alert: z.string().regex(/^Sidestream[A-Z]\w+$/),
  expr: z.string().min(1),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({
    summary: z.string().min(10).max(160),
    description: z.string().min(10).max(200),
    runbook_url: z.string(),
  }),
});
const recordingRule = z.strictObject({ record: z.string().regex(/^\w+:sidestream_\w+:\w+$/), expr: z.string().min(1) });
export const ruleFile = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(z.union([alertRule, recordingRule])) })),
});

export type RuleFile = z.infer<typeof ruleFile>;
export type AlertRule = z.infer<typeof alertRule>;
export type RecordingRule = z.infer<typeof recordingRule>;

/** Full paths of the YAML files in a folder. */
export function yamlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(folder, name));
}

/** Every rule of every file. */
export function rules(): { alerts: AlertRule[]; recordings: RecordingRule[] } {
  const all = yamlFiles(alertFolder).flatMap((file) =>
    ruleFile.parse(parse(readFileSync(file, 'utf8'))).groups.flatMap((group) => group.rules),
  );
  return {
    alerts: all.filter((rule): rule is AlertRule => 'alert' in rule),
    recordings: all.filter((rule): rule is RecordingRule => 'record' in rule),
  };
}

/** PromQL of the `promql` blocks of a runbook, one query a line. */
export function runbookQueries(text: string): string[] {
  return [...text.matchAll(/```promql\n([^`]*)```/g)].flatMap(([, block = '']) => block.trim().split('\n'));
}

/** Runs promtool to its end. */
export function promtool(program: string, args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 150_000 });
  return { status, output: `${stdout ?? ''}${stderr ?? ''}${error ? String(error) : ''}` };
}
