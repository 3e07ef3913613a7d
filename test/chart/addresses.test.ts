// The addresses that pods tell their peers: who finds them, from where, and who uses them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Manifest } from './helm.js';
import { type Container, podsOf, type RenderedPod } from './pods.js';
import { objectsOf, pods, skip } from './renders.js';

const finders: Readonly<Record<string, string>> = { signalling: 'edge-config', 'media-relay': 'media-config' };

/** The container that finds the address of a pod; undefined: the pod tells none. */
function finderOf({ owner, component, spec }: RenderedPod): Container | undefined {
  if (owner.kind === 'Pod') return undefined;
  return spec.initContainers.find((one) => one.name === finders[component]);
}

/** Sources of addresses that the pods of a case ask, by their cell and component. */
function sources(objects: readonly Manifest[]): Record<string, string[]> {
  return Object.fromEntries(
    podsOf(objects).flatMap((pod) => {
      const args = finderOf(pod)?.args.filter((arg) => /^--(addresses|node-addresses|advertise.*)=/.test(arg));
      return args === undefined ? [] : [[`${pod.region} ${pod.component}`, args]];
    }),
  );
}

test('what finds a pod’s address is told its sources, or none where it is the pod’s or the node’s own', {
  skip,
}, () => {
  const table = '--node-addresses=/etc/sidestream/node-addresses.yaml';
  for (const [name, expected] of [
    ['one region', { 'eastus signalling': [], 'eastus media-relay': [] }],
    ['load balancers', { 'eastus signalling': ['--addresses=198.51.100.1,198.51.100.2'], 'eastus media-relay': [] }],
    ['load balancers, addresses of pods', { 'eastus signalling': [], 'eastus media-relay': [] }],
    ['one pod of each', { 'eastus signalling': ['--advertise=192.0.2.1'], 'eastus media-relay': [] }],
    [
      'addresses of nodes',
      {
        'eastus signalling': [table],
        'eastus media-relay': ['--advertise-dns={node}.public.example.com'],
        'westus signalling': [table, '--advertise-metadata=azure'],
        'westus media-relay': [table, '--advertise-dns={node}.public.example.com'],
      },
    ],
  ] as const)
    assert.deepEqual(sources(objectsOf(name)), expected, name);
});

test('every pod of signalling and media-relay finds its address before its sidecar starts, and says why not', {
  skip,
}, () => {
  const field = (path: string) =>
    z.object({ valueFrom: z.object({ fieldRef: z.object({ fieldPath: z.literal(path) }) }) });
  let seen = 0;
  for (const [name, pod] of pods()) {
    const finder = finderOf(pod);
    if (finder === undefined) {
      assert.ok(!(pod.component in finders), name);
      continue;
    }
    seen += 1;
    assert.equal(pod.spec.initContainers[0], finder, name);
    assert.equal(finder.restartPolicy, undefined, name);
    assert.equal(finder['terminationMessagePolicy'], 'FallbackToLogsOnError', name);
    assert.ok(finder.args.includes('--bind=$(POD_IP)') && finder.args.includes('--node=$(NODE_NAME)'), name);
    const variable = (of: string) => finder.env.find((one) => one.name === of);
    field('status.podIP').loose().parse(variable('POD_IP'));
    field('spec.nodeName').loose().parse(variable('NODE_NAME'));
  }
  assert.ok(seen > 40);
});

test('rtpengine has its interface from the file that media-config writes, and from nowhere else', { skip }, () => {
  const place = '/run/rtpengine';
  for (const [name, pod] of pods()) {
    const engine = pod.spec.initContainers.find((one) => one.name === 'rtpengine');
    if (engine === undefined) continue;
    const writer = finderOf(pod);
    assert.ok(writer, name);
    assert.ok(writer.args.includes(`--out=${place}`), name);
    const at = ({ volumeMounts }: Container) => volumeMounts.find(({ mountPath }) => mountPath === place);
    assert.equal(at(writer)?.name, at(engine)?.name, name);
    assert.ok(at(writer)?.readOnly !== true && at(engine)?.readOnly === true, name);
    assert.ok(engine.args.includes(`--config-file=${place}/rtpengine.conf`), name);
    assert.ok(!engine.args.some((arg) => arg.startsWith('--interface')), name);
  }
});

test('the table of nodes’ addresses is where the pod reads it, with names that are strings', { skip }, () => {
  const objects = objectsOf('addresses of nodes');
  const data = z.object({ data: z.looseObject({ 'node-addresses.yaml': z.string().optional() }) });
  const tables = podsOf(objects).flatMap((pod) => {
    const finder = finderOf(pod);
    if (finder === undefined) return [];
    const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === pod.owner.metadata.name);
    const text = data.parse(map).data['node-addresses.yaml'];
    const mount = finder.volumeMounts.find(({ mountPath }) => mountPath.startsWith('/etc/sidestream'));
    assert.equal(mount?.['subPath'], text === undefined ? undefined : 'node-addresses.yaml');
    // Keys of the other services are in that volume, too.
    assert.ok(mount === undefined || mount.mountPath === '/etc/sidestream/node-addresses.yaml');
    const read: unknown = text === undefined ? undefined : parse(text);
    return [[`${pod.region} ${pod.component}`, read]];
  });
  const both = { 'node-1': '203.0.113.1', '1e3': '2001:db8::2' };
  assert.deepEqual(Object.fromEntries(tables), {
    'eastus signalling': both,
    'eastus media-relay': undefined,
    'westus signalling': both,
    'westus media-relay': { 'node-3': '203.0.113.3' },
  });
});
