// What the chart gives to Prometheus and Grafana is what the rules' and dashboards' own tests have tried.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { searchPath } from './config.js';
import { chartFolder, findHelm, type Helm } from './helm.js';
import { podsOf } from './pods.js';
import { oneRegion } from './values.js';

const found = findHelm(searchPath());
const skip = typeof found === 'string' ? `the chart is not rendered: ${found}` : false;
const render = (monitoring: object, others: object = {}) =>
  (found as Helm).template({
    values: { ...oneRegion, ...others, monitoring: { enabled: true, ...monitoring } },
    apiVersions: ['monitoring.coreos.com/v1'],
  });

const groups = z.object({ groups: z.array(z.unknown()).min(1) });

/** The groups of every file, as Prometheus would load them. */
function shipped(change: (text: string) => string = (text) => text): unknown[] {
  const folder = join(chartFolder, 'alerts');
  return readdirSync(folder)
    .sort()
    .flatMap((name) => groups.parse(parse(change(readFileSync(join(folder, name), 'utf8')))).groups);
}

test('the PrometheusRule is the rules of the files, and leads to the runbooks where they are kept', { skip }, () => {
  const ruleOf = (monitoring: object) => {
    const all = render(monitoring).filter(({ kind }) => kind === 'PrometheusRule');
    assert.equal(all.length, 1);
    return groups.parse(all[0]?.['spec']).groups;
  };
  assert.deepEqual(ruleOf({}), shipped());
  const kept = 'https://wiki.example/sidestream/runbooks';
  const there = shipped((text) => text.replaceAll('docs/runbooks/', `${kept}/`));
  assert.notDeepEqual(there, shipped());
  for (const runbookBaseUrl of [kept, `${kept}/`]) assert.deepEqual(ruleOf({ runbookBaseUrl }), there);
  assert.equal(render({ rules: false }).filter(({ kind }) => kind === 'PrometheusRule').length, 0);
});

test('each dashboard is a ConfigMap of its own, the file as it is', { skip }, () => {
  const map = z.object({ data: z.record(z.string(), z.string()) });
  const labelled = render({ dashboards: true }).filter(({ metadata }) => 'grafana_dashboard' in metadata.labels);
  const data = labelled.flatMap((one) => Object.entries(map.parse(one).data));
  const files = readdirSync(join(chartFolder, 'dashboards'));
  assert.deepEqual(
    data.sort(([one], [other]) => (one < other ? -1 : 1)),
    files.sort().map((name) => [`sidestream-${name}`, readFileSync(join(chartFolder, 'dashboards', name), 'utf8')]),
  );
  assert.equal(labelled.length, files.length);
});

test('dashboards have the labels and annotations that one’s own Grafana looks for', { skip }, () => {
  const all = render({
    dashboards: true,
    dashboardLabels: { grafana_dashboard: null, team: 'voice' },
    dashboardAnnotations: { grafana_folder: 'Voice' },
  }).filter(({ metadata }) => metadata.annotations['grafana_folder'] === 'Voice');
  assert.equal(all.length, readdirSync(join(chartFolder, 'dashboards')).length);
  for (const { metadata } of all) {
    assert.equal(metadata.labels['team'], 'voice');
    assert.ok(!('grafana_dashboard' in metadata.labels));
  }
});

test("rtpengine's and drachtio-server's own numbers are jobs of their own, at a port that the pod has and lets in", {
  skip,
}, () => {
  const monitor = z.object({
    metadata: z.object({ name: z.string() }),
    spec: z.object({
      selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
      podMetricsEndpoints: z.array(z.looseObject({ path: z.string(), port: z.string() })),
    }),
  });
  const policy = z.object({
    spec: z.object({
      podSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
      ingress: z.array(z.object({ ports: z.array(z.looseObject({ port: z.number() })) })),
    }),
  });
  const rendered = render(
    {},
    { signalling: { network: 'loadBalancer', advertise: 'pod' }, mediaRelay: { network: 'pod' } },
  );
  const monitors = rendered.filter(({ kind }) => kind === 'PodMonitor').map((one) => monitor.parse(one));
  assert.deepEqual(
    monitors.map(({ spec }) => spec.podMetricsEndpoints.map(({ path, port }) => `${port}${path}`)),
    [['management/metrics'], ['management/metrics/drachtio'], ['management/metrics/rtpengine']],
  );
  assert.equal(new Set(monitors.map(({ metadata }) => metadata.name)).size, 3);

  const label = 'app.kubernetes.io/component';
  const policies = rendered.filter(({ kind }) => kind === 'NetworkPolicy').map((one) => policy.parse(one).spec);
  for (const { spec } of monitors) {
    const wanted = spec.selector.matchLabels[label];
    if (wanted === undefined) continue;
    const pod = podsOf(rendered).find(({ component }) => component === wanted);
    const ports = [...(pod?.spec.initContainers ?? []), ...(pod?.spec.containers ?? [])].flatMap((one) => one.ports);
    const admitted = policies
      .filter(({ podSelector }) => podSelector.matchLabels[label] === wanted)
      .flatMap(({ ingress }) => ingress.flatMap((one) => one.ports.map(({ port }) => port)));
    for (const { port } of spec.podMetricsEndpoints) {
      const number = ports.find(({ name }) => name === port)?.containerPort;
      assert.ok(number !== undefined && admitted.includes(number), `${wanted}: ${port} is ${number} of ${admitted}`);
    }
  }
});
