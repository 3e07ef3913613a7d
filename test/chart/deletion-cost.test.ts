// Pods that may tell Kubernetes what their end costs: with a token of their own for that, and no pod has one for anything else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { configurationOf } from './configuration.js';
import type { Manifest } from './helm.js';
import { podsOf, type RenderedPod } from './pods.js';
import { objectsOf, skip } from './renders.js';

const tokens = z.looseObject({
  name: z.string(),
  projected: z.looseObject({
    sources: z.tuple([
      z.strictObject({
        serviceAccountToken: z.object({ path: z.literal('token'), expirationSeconds: z.literal(3600) }),
      }),
      z.looseObject({ configMap: z.looseObject({ name: z.literal('kube-root-ca.crt') }) }),
    ]),
  }),
});
const role = z.looseObject({ metadata: z.looseObject({ name: z.string() }), rules: z.array(z.unknown()) });
const binding = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  roleRef: z.object({ apiGroup: z.string(), kind: z.string(), name: z.string() }),
  subjects: z.array(z.object({ kind: z.string(), name: z.string(), namespace: z.string() })),
});
const configured = z.looseObject({ pod: z.object({ url: z.string(), credentials: z.string() }).optional() });

const hasToken = (pod: RenderedPod) => /serviceAccountToken/.test(JSON.stringify(pod.owner));
const isToken = (volume: unknown) => /serviceAccountToken/.test(JSON.stringify(volume));
const workloads = (objects: readonly Manifest[]) => podsOf(objects).filter(({ owner }) => owner.kind !== 'Pod');

test('pods of a cell’s Deployments alone may tell, each with a token for its service and for nothing but that', {
  skip,
}, async () => {
  const telling: string[] = [];
  for (const name of ['one region', 'deletion cost', 'deletion cost, load balancers', 'web face', 'production']) {
    const objects = objectsOf(name);
    const roles = objects.filter(({ kind }) => kind === 'Role').map((one) => role.parse(one));
    const bindings = objects.filter(({ kind }) => kind === 'RoleBinding').map((one) => binding.parse(one));
    const owners = podsOf(objects).filter(hasToken);
    telling.push(...owners.map(({ owner }) => `${name}: ${owner.kind} ${owner.metadata.name}`));
    const accounts = owners.map(({ owner }) => owner.metadata.name);
    assert.deepEqual(
      roles.map(({ metadata }) => metadata.name),
      accounts,
      name,
    );
    for (const { rules } of roles)
      assert.deepEqual(rules, [{ apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] }]);
    assert.deepEqual(
      bindings.map(({ roleRef, subjects }) => ({ roleRef, subjects })),
      accounts.map((account) => ({
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account },
        subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'voice' }],
      })),
    );
    for (const pod of workloads(objects)) {
      const { pod: own } = configured.parse(await configurationOf(pod, objects));
      assert.equal(own !== undefined, hasToken(pod), `${name}: ${pod.owner.metadata.name}`);
      if (own === undefined) continue;
      const instance = `${pod.owner.metadata.name}-7d9f8b6c5d-x2x9z`;
      assert.equal(own.url, `https://kubernetes.default.svc/api/v1/namespaces/voice/pods/${instance}`);
      const volume = tokens.parse(volumesOf(pod).find(isToken));
      for (const one of [...pod.spec.initContainers, ...pod.spec.containers])
        assert.deepEqual(
          one.volumeMounts.filter((mount) => mount.name === volume.name),
          one.name === pod.component ? [{ name: volume.name, mountPath: own.credentials, readOnly: true }] : [],
        );
    }
  }
  const cell = 'prod-sidestream';
  assert.deepEqual(telling, [
    `deletion cost: Deployment ${cell}-eastus-media`,
    `deletion cost: Deployment ${cell}-eastus-sip`,
    `deletion cost, load balancers: Deployment ${cell}-eastus-media`,
    ...['eastus', 'northeurope', 'southeastasia'].map((region) => `production: Deployment ${cell}-${region}-media`),
    ...['eastus', 'southeastasia'].map((region) => `production: Deployment ${cell}-${region}-sip`),
  ]);
});

const template = z.looseObject({
  spec: z.looseObject({ template: z.looseObject({ spec: z.looseObject({ volumes: z.array(z.unknown()) }) }) }),
});

/** As they are rendered. */
function volumesOf({ owner }: RenderedPod): unknown[] {
  return template.parse(owner).spec.template.spec.volumes;
}
