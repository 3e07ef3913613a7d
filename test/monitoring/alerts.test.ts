// Each alert has a test that shows it silent beside its border and firing beyond, a runbook, and words for whom it wakes.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { findExecutable, PeerError, peersRequired } from '@sidestream/peers';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  alertFolder,
  alertTestFolder,
  promtool,
  repository,
  rules,
  runbookFolder,
  runbookQueries,
  yamlFiles,
} from './alert-files.js';
import { changesOf } from './rule-changes.js';

const found = findExecutable('promtool');
const absent = 'the rules are not checked: no promtool on PATH (Debian package prometheus)';
if (found === undefined && peersRequired()) throw new PeerError('absent', absent);
const skip = found === undefined ? absent : false;
const tool = found ?? '';

const testFile = z.strictObject({
  rule_files: z.array(z.string()),
  evaluation_interval: z.string(),
  tests: z.array(
    z.strictObject({
      name: z.string(),
      interval: z.string(),
      input_series: z.array(z.strictObject({ series: z.string(), values: z.union([z.string(), z.number()]) })),
      promql_expr_test: z.array(
        z.strictObject({
          expr: z.string(),
          eval_time: z.string(),
          exp_samples: z.array(z.strictObject({ labels: z.string(), value: z.number() })),
        }),
      ),
    }),
  ),
});

/** What the tests of an alert expect: how often silence, how often an alarm. */
function expectations(): Map<string, { silent: number; firing: number }> {
  const seen = new Map<string, { silent: number; firing: number }>();
  for (const file of yamlFiles(alertTestFolder))
    for (const { promql_expr_test } of testFile.parse(parse(readFileSync(file, 'utf8'))).tests)
      for (const { expr, exp_samples } of promql_expr_test) {
        const alert = /^ALERTS\{alertname="(\w+)",alertstate="firing"\}$/.exec(expr)?.[1] ?? `not understood: ${expr}`;
        const count = seen.get(alert) ?? { silent: 0, firing: 0 };
        if (exp_samples.length === 0) count.silent += 1;
        else count.firing += 1;
        seen.set(alert, count);
      }
  return seen;
}

test('promtool takes every rules file, and all of them together', { skip }, () => {
  const { status, output } = promtool(tool, [
    'check',
    'rules',
    '--lint=all',
    '--lint-fatal',
    ...yamlFiles(alertFolder),
  ]);
  assert.equal(status, 0, output);
});

test('every promtool test passes', { skip }, () => {
  const { status, output } = promtool(tool, ['test', 'rules', ...yamlFiles(alertTestFolder)]);
  assert.equal(status, 0, output);
});

test('a threshold twice or half as high, or a wait left out, fails a promtool test of its alert', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-rules-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const unnoticed: string[] = [];
  let spoiled = 0;
  for (const path of yamlFiles(alertFolder)) {
    const file = basename(path);
    const { tests, ...rest } = testFile.parse(parse(readFileSync(join(alertTestFolder, file), 'utf8')));
    /** Whether these tests pass with these rules; anything but a wrong alert is an error. */
    const passes = (rulesText: string, some: typeof tests): boolean => {
      writeFileSync(join(folder, file), rulesText);
      writeFileSync(join(folder, 'tests.json'), JSON.stringify({ ...rest, rule_files: [file], tests: some }));
      const { status, output } = promtool(tool, ['test', 'rules', join(folder, 'tests.json')]);
      assert.ok(status === 0 || /FAILED:[\s\S]*\n +got:/.test(output), output);
      return status === 0;
    };
    for (const { alert, unchanged, changes } of changesOf(readFileSync(path, 'utf8'))) {
      const own = tests.filter(({ name }) => name.startsWith(`${alert}:`));
      assert.ok(own.length > 0 && passes(unchanged, own), `${alert}: its tests pass`);
      for (const { what, changed } of changes) {
        spoiled += 1;
        if (own.every((one) => passes(changed, [one]))) unnoticed.push(`${alert}: ${what}`);
      }
    }
  }
  t.diagnostic(`${spoiled} changes`);
  assert.ok(spoiled > 100, `${spoiled}`);
  assert.deepEqual(unnoticed, []);
});

test('each alert is shown silent and firing, and nothing else is tested', () => {
  const { alerts } = rules();
  const seen = expectations();
  assert.deepEqual([...seen.keys()].sort(), alerts.map(({ alert }) => alert).sort());
  for (const [alert, { silent, firing }] of seen) assert.ok(silent > 0 && firing > 0, `${alert}: ${silent}, ${firing}`);
});

test('each alert has a runbook with every answer, and each runbook an alert', () => {
  const names = rules().alerts.map(({ alert }) => alert);
  assert.equal(new Set(names).size, names.length);
  for (const { alert, annotations } of rules().alerts) {
    assert.equal(annotations.runbook_url, `docs/runbooks/${alert}.md`);
    const text = readFileSync(join(repository, annotations.runbook_url), 'utf8');
    const parts = [`# ${alert}\n`, '**Means.** ', '**Callers notice.** ', '**Look.**\n', '**Do.**\n', '**Goes away** '];
    const places = parts.map((part) => text.indexOf(part));
    assert.ok(!places.includes(-1), `${alert}: ${parts[places.indexOf(-1)]}`);
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
      alert,
    );
    for (const [, linked = ''] of text.matchAll(/\]\((\w+)\.md\)/g))
      assert.ok(names.includes(linked), `${alert}: ${linked}`);
  }
  const pages = readdirSync(runbookFolder).filter((name) => name !== 'README.md');
  assert.deepEqual(pages.sort(), names.map((name) => `${name}.md`).sort());
});

test('the queries of the runbooks are PromQL', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-rules-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const queries = readdirSync(runbookFolder).flatMap((name) =>
    runbookQueries(readFileSync(join(runbookFolder, name), 'utf8')),
  );
  assert.ok(queries.length > 40, `${queries.length} queries`);
  const file = join(folder, 'rules.json');
  const asRules = queries.map((expr, index) => ({ record: `query${index}`, expr }));
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'runbooks', rules: asRules }] }));
  const { status, output } = promtool(tool, ['check', 'rules', file]);
  assert.equal(status, 0, output);
});

test('few alerts wake somebody', () => {
  const critical = rules().alerts.filter(({ labels }) => labels.severity === 'critical');
  assert.ok(critical.length <= 10, critical.map(({ alert }) => alert).join());
});
