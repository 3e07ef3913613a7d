// Debian's Prometheus scrapes a running deployment: rules load, what dashboards ask is there, and a dead recorder is told.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { unlistedSeller } from '@sidestream/cli';
import { eventually, findExecutable } from '@sidestream/peers';
import { runCli } from '../e2e/run-cli.js';
import { alertFolder, promtool, rules, runbookFolder, runbookQueries, yamlFiles } from './alert-files.js';
import {
  type Dashboard,
  dashboards,
  emptyWhile,
  metricNames,
  panelsOf,
  substituted,
  variablesOf,
} from './dashboard-files.js';
import { MonitoredStage, scrapeSeconds } from './monitored-stage.js';
import type { PrometheusClient, Sample, Series } from './prometheus-client.js';
import { inputSeries, stepsOf } from './recorded-samples.js';

/** Two recorded calls, so that what the first makes appear is seen to grow, and one that is not. */
async function callsOfTheDemo({ stage, prometheus }: MonitoredStage): Promise<void> {
  for (const number of [undefined, unlistedSeller.number, undefined]) {
    const call = number === undefined ? await stage.inbound() : await stage.inbound(number);
    await stage.talk(call, number === undefined ? 130 : 10);
    await call.customer.hangUp();
    const ended = stage.laboratory.bodies('callStarted').length;
    await eventually(() => stage.laboratory.bodies('callEnded').length === ended, 'the call is over');
    const seen = async () => (await prometheus.value('sum(sidestream_call_terminations_total)')) === ended;
    await eventually(seen, 'Prometheus has seen its end', 30_000);
  }
  const complete = async () =>
    (await prometheus.value('sum(sidestream_calls_to_record_total{stage="complete"})')) === 2;
  await eventually(complete, 'both recordings are complete', 30_000);
  const rated = async () => (await prometheus.query('tenant:sidestream_recording_errors:ratio_rate1h <= 1')).length > 0;
  await eventually(rated, 'the rules have seen it', 30_000);
}

/** The mean opinion score of the streams whose sessions have ended, by the relay and by rtpengine itself, and what RTCP told of losses. */
async function soundOf({ prometheus }: MonitoredStage) {
  const [relay, streams, engine, lost] = await Promise.all(
    [
      'sidestream_media_mos_sum / sidestream_media_mos_count',
      'sidestream_media_mos_count',
      'rtpengine_mos_total / rtpengine_mos_samples_total',
      'sidestream_media_packets_lost_total',
    ].map((promql) => prometheus.value(promql)),
  );
  return { relay: relay ?? 0, streams: streams ?? 0, engine: engine ?? 0, lost: lost ?? 0 };
}

/** Every variable has values; the dashboard is asked with all of them. */
async function valuesOf(board: Dashboard, prometheus: PrometheusClient): Promise<Record<string, string>> {
  const values: Record<string, string> = { __rate_interval: '1m' };
  for (const { name, query } of variablesOf(board)) {
    const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
    const found = await prometheus.labelValues(label, substituted(selector, values));
    assert.notEqual(found.length, 0, `${board.uid}: $${name} has no values`);
    values[name] = `(${found.join('|')})`;
  }
  return values;
}

function shown(samples: readonly Sample[], unit: string): string {
  const values = samples.map(({ value }) => Number(value[1]));
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) =>
    value.toPrecision(3).replace(/\.?0+$/, ''),
  );
  return `${samples.length} series, ${least === most ? least : `${least} to ${most}`} ${unit}`;
}

test('after a demo each panel of each dashboard shows something, and rules and runbooks ask for what is there', async (t) => {
  const set = await MonitoredStage.start(t);
  if (!set) return;
  const { prometheus } = set;
  await callsOfTheDemo(set);

  const { alerts, recordings } = rules();
  const { count, faults } = await prometheus.rules();
  assert.deepEqual(faults, []);
  assert.equal(count, alerts.length + recordings.length);

  const there = await prometheus.metricNames();
  for (const name of ['ALERTS', ...recordings.map(({ record }) => record)]) there.add(name);
  const asked = [
    ...[...alerts, ...recordings].map(({ expr }) => expr),
    ...readdirSync(runbookFolder).flatMap((name) => runbookQueries(readFileSync(join(runbookFolder, name), 'utf8'))),
    ...dashboards().flatMap((board) => panelsOf(board).flatMap(({ targets }) => targets.map(({ expr }) => expr))),
  ];
  const absent = [...new Set(asked.flatMap(metricNames))].filter((name) => !there.has(name));
  const problems = absent.map((name) => `no process has ${name}`);

  for (const board of dashboards()) {
    const values = await valuesOf(board, prometheus);
    for (const panel of panelsOf(board))
      for (const { expr, legendFormat } of panel.targets) {
        const samples = await prometheus.query(substituted(expr, values));
        const numbers = samples.filter(({ value }) => value[1] !== 'NaN');
        const may = emptyWhile(panel);
        if (numbers.length === 0 && may === undefined) problems.push(`${board.uid}: ${panel.title}: ${expr}`);
        const what = numbers.length > 0 ? shown(numbers, panel.fieldConfig.defaults.unit) : `empty while ${may}`;
        t.diagnostic(`${board.uid} | ${panel.title} | ${legendFormat} | ${what}`);
      }
  }
  assert.deepEqual(problems, []);

  const clear = await soundOf(set);
  t.diagnostic(`how calls sound: ${JSON.stringify(clear)}`);
  assert.equal(clear.lost, 0);
  for (const score of [clear.relay, clear.engine]) assert.ok(score > 3.5 && score <= 4.5, `${score}`);
  const firing = (await prometheus.alerts()).filter(({ state }) => state === 'firing');
  assert.deepEqual(
    firing.map(({ labels }) => labels['alertname']),
    [],
    'a healthy demo wakes nobody',
  );

  // One packet in five is lost on the way to both.
  for (const party of [set.stage.customer, set.stage.seller]) party.hearingLoss = 0.2;
  const bad = await set.stage.inbound();
  await set.stage.talk(bad, 130);
  await bad.customer.hangUp();
  await eventually(async () => (await soundOf(set)).streams > clear.streams, 'its sound is told', 30_000);
  const both = await soundOf(set);
  t.diagnostic(`with a bad call: ${JSON.stringify(both)}`);
  const ofTheBad = (both.relay * both.streams - clear.relay * clear.streams) / (both.streams - clear.streams);
  assert.ok(ofTheBad >= 1 && ofTheBad < 3.5, `${ofTheBad}`);
  assert.ok(both.engine < clear.engine && both.lost >= 20, JSON.stringify(both));
});

/** What came from targets, and not from rules. */
const scraped = '{namespace="demo",__name__!~".*:.*|ALERTS.*"}';

/** The alerts that would have fired at each step, had these samples come in production. */
function replayed(prometheusSamples: readonly Series[], directory: string): string[] {
  const replay = { series: prometheusSamples, recordedSeconds: scrapeSeconds, playedSeconds: 30 };
  const file = join(directory, 'replay.json');
  const expr = 'count by (alertname) (ALERTS{alertstate="firing"})';
  const at = (step: number) => ({ expr, eval_time: `${step * replay.playedSeconds}s`, exp_samples: [] });
  writeFileSync(
    file,
    JSON.stringify({
      rule_files: yamlFiles(alertFolder),
      evaluation_interval: '30s',
      tests: [{ interval: '30s', input_series: inputSeries(replay), promql_expr_test: [at(stepsOf(replay))] }],
    }),
  );
  // It expects silence, so that promtool names what it got.
  const { status, output } = promtool(findExecutable('promtool') ?? '', ['test', 'rules', file]);
  assert.ok(status === 0 || output.includes(`expr: ${JSON.stringify(expr)}`), output);
  return [...output.matchAll(/\{alertname="(\w+)"\}/g)].map(([, name = '']) => name);
}

test('a recorder that dies in mid-call: the right alerts fire, and the call record says what was lost', async (t) => {
  const set = await MonitoredStage.start(t);
  if (!set) return;
  const { stage, prometheus } = set;
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-replay-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const call = await stage.inbound();
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the call is recorded');
  const seconds = async (promql: string) => (await prometheus.value(`count_over_time((${promql})[5m:1s])`)) ?? 0;
  await eventually(async () => (await seconds('sidestream_recordings_active == 1')) >= 5, 'it is seen', 30_000);
  assert.deepEqual(replayed(await prometheus.samples(scraped, 60), directory), []);

  void stage.laboratory.recorder.restart(600_000).catch(() => undefined);
  const open = 'sidestream_recorder_breaker_state == 2';
  await eventually(async () => (await seconds(open)) > 12, 'no recorder for long enough', 60_000);
  await eventually(() => stage.laboratory.bodies('recordingMissing').length === 1, 'recording.missing', 30_000);
  const missing = async () => ((await prometheus.value('sum(sidestream_recordings_missing_total)')) ?? 0) > 0;
  await eventually(missing, 'Prometheus has seen it', 30_000);
  const fired = replayed(await prometheus.samples(scraped, 120), directory);
  t.diagnostic(`of the recorded samples: ${fired.join(', ')}`);
  for (const alert of ['SidestreamTenantWithoutRecorder', 'SidestreamRecorderDown', 'SidestreamRecordingsMissing'])
    assert.ok(fired.includes(alert), `${alert} is not among ${fired.join(', ')}`);

  await call.customer.hangUp();
  await eventually(() => stage.laboratory.bodies('callEnded').length === 1, 'the call is over');
  const id = stage.laboratory.bodies('callStarted')[0]?.callId ?? '';
  const show = async () =>
    (await runCli(['calls', 'show', id, '-c', stage.laboratory.configFile], { timeoutMs: 30_000 })).stdout;
  await eventually(async () => (await show()).includes('verdict'), 'the record is there', 30_000);
  const text = await show();
  t.diagnostic(text);
  assert.match(text, /verdict +recorded in part/);
});
