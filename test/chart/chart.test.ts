// The chart as real Helm renders it: valid for Kubernetes and the CRDs, hardened, readable by our services, and strict with values.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configurationOf } from './configuration.js';
import { chartFolder, type Manifest } from './helm.js';
import { podFaults, podsOf } from './pods.js';
import { helm, objectsOf, pods, renders, skip } from './renders.js';
import { schemaFaults } from './schema-check.js';
import { oneRegion } from './values.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

test('helm lint has nothing against the chart', { skip }, () => {
  const { status, output } = helm().run(['lint', '--strict', chartFolder]);
  assert.equal(status, 0, output);
  assert.doesNotMatch(output, /\[(WARNING|ERROR)\]/);
});

test('every object is valid, unknown keys included', { skip }, async (t) => {
  const objects = [...renders().values()].flat();
  t.diagnostic(`${helm().version}; ${renders().size} renders, ${objects.length} objects`);
  const kinds = objectsOf('production')
    .map(({ kind }) => kind)
    .sort();
  for (const kind of new Set(kinds)) t.diagnostic(`production: ${kinds.filter((one) => one === kind).length} ${kind}`);
  assert.deepEqual(await schemaFaults(objects), []);
});

test('the check of objects finds a typo, a wrong type and a missing key', { skip }, async () => {
  const [deployment] = objectsOf('one region').filter(({ kind }) => kind === 'Deployment');
  assert.ok(deployment);
  const text = JSON.stringify(deployment);
  const broken = [
    text.replace('"containerPort"', '"containerport"'),
    text.replace('"replicas":2', '"replicas":"2"'),
    text.replace('"selector"', '"selectors"'),
  ].map((one): Manifest => JSON.parse(one));
  const faults = await schemaFaults(broken);
  for (const word of ['containerport', 'replicas', 'selector'])
    assert.ok(
      faults.some((fault) => fault.includes(word)),
      word,
    );
});

test('each render has other names than it should not: unique objects, labels and annotations that are strings', {
  skip,
}, () => {
  for (const [name, objects] of renders()) {
    const ids = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    assert.equal(new Set(ids).size, ids.length, `${name}: ${ids.join(' ')}`);
    for (const { kind, metadata } of objects) {
      const values = [...Object.values(metadata.labels), ...Object.values(metadata.annotations)];
      assert.ok(
        values.every((value) => typeof value === 'string'),
        `${name}: ${kind} ${metadata.name}`,
      );
      if (kind === 'Service') assert.match(metadata.name, /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, name);
    }
  }
});

test('every pod is hardened, bounded and probed, and no Secret comes with the chart', { skip }, () => {
  for (const [name, pod] of pods()) assert.deepEqual(podFaults(pod), [], name);
  for (const [name, objects] of renders())
    assert.ok(
      objects.every(({ kind }) => kind !== 'Secret'),
      name,
    );
});

test('each service reads its rendered configuration with its own reader', { skip }, async () => {
  for (const [name, pod, objects] of pods()) {
    if (name.startsWith('defaults')) {
      await assert.rejects(configurationOf(pod, objects), /nats\.servers/, `${name}: says what is missing`);
      continue;
    }
    await assert.doesNotReject(configurationOf(pod, objects), `${name}: ${pod.owner.metadata.name}`);
  }
});

const part = z.looseObject({
  region: z.string().optional(),
  mediaTimeoutMs: z.number().optional(),
  drainMs: z.number().optional(),
});

test('a cell is its region’s: relays and signalling of it, the drain within the grace period', { skip }, async () => {
  const objects = objectsOf('production');
  const cells = podsOf(objects).filter(({ region, owner }) => region !== undefined && owner.kind !== 'Pod');
  assert.equal(cells.length, 6);
  for (const pod of cells) {
    const { region, drainMs = 0 } = part.parse(await configurationOf(pod, objects));
    assert.equal(region, pod.region);
    assert.ok(drainMs >= 3_600_000);
    assert.ok((pod.spec.terminationGracePeriodSeconds ?? 0) * 1_000 >= drainMs + 15_000, pod.owner.metadata.name);
  }
});

test('rtpengine is started as it must be, and is more patient than media-relay', { skip }, async () => {
  for (const [name, pod, objects] of pods()) {
    const engine = pod.spec.initContainers.find((one) => one.name === 'rtpengine');
    if (engine === undefined) continue;
    for (const flag of [
      '--log-level=3',
      '--dtmf-no-suppress',
      '--config-file=/run/rtpengine/rtpengine.conf',
      '--table=-1',
      '--silent-timeout=86400',
    ])
      assert.ok(engine.args.includes(flag), `${name}: ${flag}`);
    const timeout = Number(
      /^--timeout=(\d+)$/.exec(engine.args.find((arg) => arg.startsWith('--timeout=')) ?? '')?.[1],
    );
    const { mediaTimeoutMs = 0 } = part.parse(await configurationOf(pod, objects));
    assert.ok(timeout * 1_000 > mediaTimeoutMs && mediaTimeoutMs >= 180_000, `${name}: ${timeout}`);
    assert.ok(
      engine.args.includes('--listen-ng=127.0.0.1:22222') && engine.args.includes('--listen-http=127.0.0.1:22280'),
    );
    assert.equal(engine.restartPolicy, 'Always');
  }
});

test('no flood of a public port restarts drachtio-server', { skip }, () => {
  const onLoopback = 'exec 3<>/dev/tcp/127.0.0.1/9023';
  const probe = z.object({
    exec: z.object({ command: z.tuple([z.literal('bash'), z.literal('-c'), z.literal(onLoopback)]) }),
    failureThreshold: z.literal(18),
  });
  let seen = 0;
  for (const [name, { spec }] of pods()) {
    const edge = spec.initContainers.find((one) => one.name === 'drachtio');
    if (edge === undefined) continue;
    seen += 1;
    assert.ok(probe.loose().safeParse(edge.livenessProbe).success, name);
    const config = spec.initContainers.find((one) => one.name === 'edge-config');
    assert.ok(config?.args.includes('--metrics-port=9023'), name);
  }
  assert.ok(seen > 20);
});

test('rtpengine has as many threads as its cell says, which no node changes', { skip }, () => {
  const threads = podsOf(objectsOf('production')).flatMap(({ region, spec }) =>
    spec.initContainers.flatMap(({ args }) => args.filter((arg) => arg.includes('thread')).map((arg) => [region, arg])),
  );
  assert.deepEqual(threads, [
    ['eastus', '--num-threads=4'],
    ['northeurope', '--num-threads=4'],
    ['southeastasia', '--num-threads=8'],
  ]);
});

test('relays take as many sessions as their ports carry, eight each, unless the values say', { skip }, async () => {
  const most = async (values: object) => {
    const objects = helm().template({ values: { ...oneRegion, ...values } });
    const pod = podsOf(objects).find(({ component }) => component === 'media-relay');
    assert.ok(pod);
    return z.looseObject({ maxSessions: z.number() }).parse(await configurationOf(pod, objects)).maxSessions;
  };
  const rtp = (min: number, max: number) => ({ mediaRelay: { rtp: { min, max } } });
  assert.equal(await most({}), 1_250);
  assert.equal(await most(rtp(20_000, 20_806)), 100);
  assert.equal(await most(rtp(10_000, 29_999)), 2_000);
  assert.equal(await most({ config: { ...oneRegion.config, mediaRelay: { maxSessions: 1_700 } } }), 1_700);
});

test('where calls may be silent for ever, rtpengine leaves them a day', { skip }, () => {
  for (const [mediaTimeout, seconds] of [
    ['0s', 86_400],
    ['24h', 86_460],
  ] as const) {
    const config = { ...oneRegion.config, mediaRelay: { mediaTimeout } };
    const relay = podsOf(helm().template({ values: { ...oneRegion, config } })).find(
      (pod) => pod.component === 'media-relay',
    );
    const engine = relay?.spec.initContainers.find(({ name }) => name === 'rtpengine');
    assert.ok(engine?.args.includes(`--timeout=${seconds}`), mediaTimeout);
  }
});

test('signalling keeps its state where it may write, and drachtio-server is its sidecar', { skip }, () => {
  let seen = 0;
  for (const [name, { component, spec, owner }] of pods()) {
    if (component !== 'signalling' || owner.kind === 'Pod') continue;
    seen += 1;
    const state = spec.containers[0]?.volumeMounts.find(({ mountPath }) => mountPath === '/var/lib/sidestream');
    assert.ok(state && state.readOnly !== true, name);
    assert.deepEqual(
      spec.initContainers.map(({ name: one, restartPolicy }) => [one, restartPolicy]),
      [
        ['edge-config', undefined],
        ['drachtio', 'Always'],
      ],
    );
  }
  assert.ok(seen > 20);
});

test('numbered pods may claim what keeps their state beyond them', { skip }, () => {
  const set = z.object({
    spec: z.looseObject({
      volumeClaimTemplates: z.tuple([z.looseObject({ metadata: z.object({ name: z.literal('state') }) })]),
      template: z.looseObject({ spec: z.looseObject({ volumes: z.array(z.looseObject({ name: z.string() })) }) }),
    }),
  });
  const found = objectsOf('load balancers, addresses of pods').filter(({ kind }) => kind === 'StatefulSet');
  assert.equal(found.length, 1);
  assert.ok(!set.parse(found[0]).spec.template.spec.volumes.some(({ name }) => name === 'state'));
});

test('each Certificate has a secret of its own, which its workload reads, and the name of its service', {
  skip,
}, () => {
  const spec = z.looseObject({ secretName: z.string(), dnsNames: z.array(z.string()) });
  const certificate = z.object({ spec });
  for (const [name, objects] of renders()) {
    const certificates = objects.filter(({ kind }) => kind === 'Certificate');
    const secrets = certificates.map((one) => certificate.parse(one).spec.secretName);
    assert.equal(new Set(secrets).size, secrets.length, `${name}: ${secrets.join(' ')}`);
    for (const [index, { metadata }] of certificates.entries()) {
      const pod = podsOf(objects).find(({ owner }) => owner.metadata.name === metadata.name);
      const sources = pod?.spec.volumes.find((one) => one.name === 'config')?.projected?.sources ?? [];
      assert.ok(
        sources.some(({ secret }) => secret?.name === secrets[index]),
        `${name}: ${metadata.name}`,
      );
      const { dnsNames } = certificate.parse(certificates[index]).spec;
      assert.deepEqual(dnsNames, ['sidestream.internal', `${pod?.component}.sidestream.internal`], name);
    }
  }
});

test('names in certificates are checked by all services where the values say so, and no file names the key else', {
  skip,
}, () => {
  const map = z.object({ data: z.object({ 'sidestream.yaml': z.string() }) });
  const checking = (name: string) =>
    objectsOf(name).flatMap((object) => {
      const { success, data } = map.safeParse(object);
      return success ? [data.data['sidestream.yaml'].includes('checkNames: true')] : [];
    });
  assert.deepEqual(checking('names checked'), Array(5).fill(true));
  // An image of 0.1.0 would refuse it.
  assert.ok(!JSON.stringify(objectsOf('web face')).includes('checkNames'));
});

test('alerts, dashboards and autoscaling ask for metrics that our services have', { skip }, () => {
  const objects = objectsOf('production');
  const asking = objects.filter(
    ({ kind, metadata }) =>
      ['PrometheusRule', 'HorizontalPodAutoscaler', 'ScaledObject'].includes(kind) || /-dashboard-/.test(metadata.name),
  );
  const asked = new Set(JSON.stringify(asking).match(/(?<![:\w])sidestream_\w+(?![\w:])/g));
  assert.ok(asked.size >= 14, [...asked].join());
  for (const metric of ['sidestream_call_records_waiting', 'sidestream_call_records_lost_total'])
    assert.ok(JSON.stringify(asking.filter(({ kind }) => kind === 'PrometheusRule')).includes(metric), metric);
  // Written from what running services have.
  const page = readFileSync(join(repository, 'docs', 'metrics.md'), 'utf8');
  for (const metric of asked) {
    const family = metric.replace(/_(bucket|count|sum)$/, '');
    const [, type = ''] = new RegExp(`\\| \`${family}\` +\\| (\\w+)`).exec(page) ?? [];
    assert.equal(type === 'histogram', family !== metric, `${metric} of ${type}`);
    assert.notEqual(type, '', metric);
  }
});
