// Pods follow the calls: by one autoscaler or the other, which owns the number of pods, and which an upgrade leaves alone.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { findExecutable, PeerError, peersRequired } from '@sidestream/peers';
import { z } from 'zod';
import { promtool } from '../monitoring/alert-files.js';
import { chartFolder, type Manifest } from './helm.js';
import { KubeStore } from './kube-store.js';
import { helm, objectsOf, skip } from './renders.js';
import { schemaFaults } from './schema-check.js';
import { oneRegion } from './values.js';

const sip = 'prod-sidestream-eastus-sip';
const workload = z.looseObject({ spec: z.looseObject({ replicas: z.number().optional() }) });
const scaled = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    scaleTargetRef: z.object({ apiVersion: z.string(), kind: z.string(), name: z.string() }),
    triggers: z.array(z.looseObject({ metadata: z.record(z.string(), z.string()) })).default([]),
  }),
});
const autoscalers = (objects: readonly Manifest[]) =>
  objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject');

test('a workload has at most one autoscaler, which alone says how many pods there are', { skip }, () => {
  const kinds = new Set<string>();
  for (const name of ['one region', 'autoscaling', 'autoscaling by KEDA', 'load balancers by KEDA', 'production']) {
    const objects = objectsOf(name);
    const targets = autoscalers(objects).map((one) => scaled.parse(one).spec.scaleTargetRef);
    assert.equal(new Set(targets.map((target) => target.name)).size, targets.length, name);
    for (const target of targets)
      assert.ok(
        objects.some(({ kind, metadata }) => kind === target.kind && metadata.name === target.name),
        name,
      );
    for (const one of objects.filter(({ kind }) => /^(Deployment|StatefulSet)$/.test(kind))) {
      const owned = targets.some((target) => target.name === one.metadata.name);
      assert.equal(workload.parse(one).spec.replicas === undefined, owned, `${name}: ${one.metadata.name}`);
    }
    for (const { kind } of autoscalers(objects)) kinds.add(`${name}: ${kind}`);
  }
  assert.deepEqual(
    [...kinds],
    [
      'autoscaling: HorizontalPodAutoscaler',
      'autoscaling by KEDA: ScaledObject',
      'load balancers by KEDA: ScaledObject',
      'production: HorizontalPodAutoscaler',
      'production: ScaledObject',
    ],
  );
});

test('the check of a ScaledObject finds a typo, a wrong type and a missing key', { skip }, async () => {
  const [whole] = objectsOf('autoscaling by KEDA').filter(({ kind }) => kind === 'ScaledObject');
  const text = JSON.stringify(whole);
  const broken = [
    ['pollInterval', text.replace('pollingInterval', 'pollInterval')],
    ['threshold', text.replace('"threshold":"500"', '"threshold":500').replace('"threshold":"300"', '"threshold":300')],
    ['scaleTargetRef', text.replace('"scaleTargetRef"', '"scaleTarget"')],
  ] as const;
  const faults = (await schemaFaults(broken.map(([, one]) => JSON.parse(one)))).join();
  for (const [word] of broken) assert.match(faults, new RegExp(word));
});

const found = findExecutable('promtool');
if (found === undefined && peersRequired()) throw new PeerError('absent', 'no promtool on PATH');
const skipQuery = skip || (found === undefined ? 'the queries are not tried: no promtool on PATH' : false);

test('KEDA counts the calls of pods that take new ones, of one workload', { skip: skipQuery }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-scaling-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pod = (metric: string, name: string, value: number, namespace = 'voice') => ({
    series: `${metric}{namespace="${namespace}",pod="${name}",instance="10.0.0.1:9091"}`,
    values: `${value}x3`,
  });
  const told = (metric: string, name: string, amount: number, draining: number) => [
    pod(metric, name, amount),
    pod('sidestream_draining', name, draining),
  ];
  const media = 'prod-sidestream-eastus-media-6d4b75cb6d';
  const input = [
    ...told('sidestream_calls_active', `${sip}-5c689d88bb-hx2zq`, 40, 0),
    ...told('sidestream_calls_active', `${sip}-5c689d88bb-7wqlk`, 2, 0),
    ...told('sidestream_calls_active', `${sip}-7f9c4d5b68-bt5nd`, 300, 1),
    ...told('sidestream_calls_active', `${sip}-sip-5c689d88bb-hx2zq`, 9, 0),
    ...told('sidestream_calls_active', `${sip}-0`, 5, 0),
    ...told('sidestream_calls_active', `${sip}-1`, 6, 0),
    ...told('sidestream_calls_active', `${sip}-2`, 700, 1),
    pod('sidestream_calls_active', `${sip}-5c689d88bb-hx2zq`, 1_000, 'other'),
    pod('sidestream_draining', `${sip}-5c689d88bb-hx2zq`, 0, 'other'),
    ...told('sidestream_media_sessions', `${media}-hx2zq`, 7, 0),
    ...told('sidestream_media_sessions', `${media}-9bwks`, 8, 1),
  ];
  const expected = { [sip]: 42, 'prod-sidestream-eastus-media': 7 };
  const queries = (name: string) =>
    autoscalers(objectsOf(name)).map((one) => {
      const { metadata, spec } = scaled.parse(one);
      assert.equal(spec.triggers[0]?.metadata['ignoreNullValues'], 'false');
      return [metadata.name, spec.triggers[0]?.metadata['query'] ?? ''] as const;
    });
  const expectations = [
    ...queries('autoscaling by KEDA').map(
      ([name, expr]) => [expr, z.record(z.string(), z.number()).parse(expected)[name]] as const,
    ),
    ...queries('load balancers by KEDA').map(([, expr]) => [expr, 11] as const),
  ];
  assert.equal(expectations.length, 3);
  const promql_expr_test = expectations.map(([expr, value]) => ({
    expr,
    eval_time: '1m',
    exp_samples: [{ labels: '{}', value }],
  }));
  const file = join(folder, 'scaling.yaml');
  writeFileSync(file, JSON.stringify({ tests: [{ interval: '1m', input_series: input, promql_expr_test }] }));
  const { status, output } = promtool(found ?? '', ['test', 'rules', file]);
  assert.equal(status, 0, output);
});

test('an upgrade keeps the pods that there are: under an autoscaler, and when it comes or goes', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-upgrade-'));
  const store = new KubeStore();
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const cluster = { name: 'store', cluster: { server: await store.listen() } };
  const context = { name: 'store', context: { cluster: 'store', user: 'store' } };
  const user = { name: 'store', user: {} };
  const kubeconfig = { apiVersion: 'v1', kind: 'Config', clusters: [cluster], contexts: [context], users: [user] };
  writeFileSync(join(folder, 'config'), JSON.stringify({ ...kubeconfig, 'current-context': 'store' }));
  const upgrade = async (signalling: object) => {
    const keda = { serverAddress: 'http://prometheus:9090' };
    writeFileSync(join(folder, 'values'), JSON.stringify({ ...oneRegion, keda, signalling }));
    const place = ['--kubeconfig', join(folder, 'config'), '--namespace', 'voice', '-f', join(folder, 'values')];
    // Helm 4 would have the server merge, which the store can't.
    const merging = helm().version.startsWith('v4') ? ['--server-side=false'] : [];
    const args = ['upgrade', '--install', 'prod', chartFolder, '--disable-openapi-validation', ...merging, ...place];
    await promisify(execFile)(helm().program, args, { env: { HOME: folder }, timeout: 60_000 });
    return store.replicasOf(sip);
  };
  const by = (kind: string) => ({ autoscaling: { enabled: true, by: kind, minReplicas: 3 } });
  assert.equal(await upgrade({}), 2);
  store.scale(sip, 5);
  assert.equal(await upgrade(by('hpa')), 5, 'the autoscaler comes');
  store.scale(sip, 8);
  assert.equal(await upgrade(by('hpa')), 8, 'the autoscaler stays');
  assert.equal(await upgrade({}), 8, 'the autoscaler goes');
  assert.equal(await upgrade(by('keda')), 8, 'the other one comes');
  store.addAutoscaler('voice', sip);
  assert.equal(store.replicasOf('prod-sidestream-eastus-media'), 2);
  assert.equal(await upgrade({ replicas: 4 }), 8, 'KEDA goes');
  store.removeAutoscaler('voice', sip);
  assert.equal(await upgrade({ replicas: 4 }), 4, 'and values count again');
});
