// What disruptions may take: budgets that keep calls up, and never a node from being drained.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Manifest } from './helm.js';
import { helm, objectsOf, skip } from './renders.js';
import { oneRegion } from './values.js';

const budget = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.object({
    maxUnavailable: z.union([z.number().min(1), z.string().regex(/^[1-9]\d*%$/)]),
    unhealthyPodEvictionPolicy: z.literal('AlwaysAllow'),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
  }),
});
const budgets = (objects: readonly Manifest[]) =>
  objects.filter(({ kind }) => kind === 'PodDisruptionBudget').map((one) => budget.parse(one));
const namesOf = (values: object) => budgets(helm().template({ values })).map(({ metadata }) => metadata.name);

test('every budget lets one pod go, and selects the pods of one workload', { skip }, () => {
  let seen = 0;
  for (const name of ['one region', 'load balancers', 'web face', 'autoscaling', 'production']) {
    const objects = objectsOf(name);
    for (const { metadata, spec } of budgets(objects)) {
      seen += 1;
      const workload = objects.find(
        (one) => /Deployment|StatefulSet/.test(one.kind) && one.metadata.name === metadata.name,
      );
      const { selector } = z.looseObject({ spec: z.looseObject({ selector: z.unknown() }) }).parse(workload).spec;
      assert.deepEqual(spec.selector, selector, `${name}: ${metadata.name}`);
    }
  }
  assert.ok(seen > 15);
});

test('a workload of one pod has none, unless an autoscaler may make more of it', { skip }, () => {
  const shared = ['policy-sync', 'registration'].map((name) => `prod-sidestream-${name}`);
  assert.deepEqual(namesOf({ ...oneRegion, signalling: { replicas: 1 }, mediaRelay: { replicas: 1 } }), shared);
  const one = { replicas: 1, autoscaling: { enabled: true, minReplicas: 1, maxReplicas: 4 } };
  assert.deepEqual(namesOf({ ...oneRegion, signalling: one, mediaRelay: one, policySync: { replicas: 1 } }), [
    'prod-sidestream-eastus-media',
    'prod-sidestream-registration',
    'prod-sidestream-eastus-sip',
  ]);
  assert.deepEqual(
    namesOf({ ...oneRegion, signalling: { autoscaling: { enabled: true, minReplicas: 1, maxReplicas: 1 } } }).filter(
      (name) => name.endsWith('-sip'),
    ),
    [],
  );
});

test('a budget that would stop the drain of a node for ever is refused', { skip }, () => {
  for (const maxUnavailable of [0, '0%', 'none'])
    assert.throws(
      () => helm().template({ values: { ...oneRegion, podDisruptionBudget: { maxUnavailable } } }),
      /podDisruptionBudget\.maxUnavailable/,
    );
  assert.equal(namesOf({ ...oneRegion, podDisruptionBudget: { maxUnavailable: '25%' } }).length, 4);
});
