// The check of pods finds what Pod Security would refuse: one that lets everything pass would be no check.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Manifest } from './helm.js';
import { podsOf } from './pods.js';
import { objectsOf, skip } from './renders.js';

const ports = z.array(z.looseObject({ containerPort: z.number() }));
const deployment = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(z.looseObject({ ports })).min(1),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
  }),
});
type Spec = z.infer<typeof deployment>['spec']['template']['spec'];

/** Policy-sync with something of its pod changed. */
function changed(change: (spec: Spec) => void): Manifest {
  const isIt = ({ kind, metadata }: Manifest) => kind === 'Deployment' && metadata.name.endsWith('-policy-sync');
  const copy: Manifest = JSON.parse(JSON.stringify(objectsOf('one region').find(isIt)));
  const parsed = deployment.parse(copy);
  change(parsed.spec.template.spec);
  return { ...copy, ...parsed };
}

const changes: Readonly<Record<string, (spec: Spec) => void>> = {
  'a folder of the node': ({ volumes }) => volumes.push({ name: 'node', hostPath: { path: '/' } }),
  'a volume of another kind': ({ volumes }) => volumes.push({ name: 'nfs', nfs: { server: 'x', path: '/' } }),
  'a volume of no kind': ({ volumes }) => volumes.push({ name: 'none' }),
  'the node’s processes': (spec) => Object.assign(spec, { hostPID: true }),
  'the node’s shared memory': (spec) => Object.assign(spec, { hostIPC: true }),
  'a port of the node': ({ containers }) =>
    containers[0]?.ports.push({ name: 'x', protocol: 'TCP', containerPort: 1, hostPort: 1 }),
};

for (const [what, change] of Object.entries(changes))
  test(`a pod is refused for ${what}`, { skip }, () => {
    assert.equal(podsOf([changed(() => undefined)]).length, 1);
    assert.throws(() => podsOf([changed(change)]), z.ZodError);
  });
