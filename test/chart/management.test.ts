// Who reaches the management ports of pods, and over which family of addresses they are reached.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { configurationOf } from './configuration.js';
import { podsOf } from './pods.js';
import { helm, objectsOf, skip } from './renders.js';
import { oneRegion } from './values.js';

const networkPolicy = { monitoringCidrs: ['10.244.0.0/16', '2001:db8::7'] };
const ofPods = { signalling: { network: 'loadBalancer', advertise: 'pod' }, mediaRelay: { network: 'pod' } };
const read = z.looseObject({
  management: z.looseObject({ allow: z.array(z.string()).optional() }),
  edgeMetrics: z.string().optional(),
});

/** Whom each pod's management port lets in; undefined: anybody, whom a NetworkPolicy chooses. */
async function admitted(values: object): Promise<Record<string, readonly string[] | undefined>> {
  const objects = helm().template({ values });
  const all: Record<string, readonly string[] | undefined> = {};
  for (const pod of podsOf(objects)) {
    const config = await configurationOf(pod, objects);
    if (config !== undefined) all[pod.component] = read.parse(config).management.allow;
  }
  return all;
}

test('pods on the nodes’ network let in whom monitoringCidrs names, others whom their NetworkPolicy does', {
  skip,
}, async () => {
  const { monitoringCidrs } = networkPolicy;
  const nobodyElse = { 'policy-sync': undefined, registration: undefined };
  const open = { signalling: undefined, 'media-relay': undefined, ...nobodyElse };
  const closed = { ...open, signalling: monitoringCidrs, 'media-relay': monitoringCidrs };
  assert.deepEqual(await admitted(oneRegion), open);
  assert.deepEqual(await admitted({ ...oneRegion, networkPolicy }), closed);
  assert.deepEqual(await admitted({ ...oneRegion, networkPolicy: { ...networkPolicy, enabled: false } }), closed);
  assert.deepEqual(await admitted({ ...oneRegion, networkPolicy, ...ofPods }), open);
});

test('the notes say to whom nodes’ ports answer', { skip }, () => {
  const answering = (values: object) =>
    /health and metrics \((.+)\) answer (.+)\n/.exec(helm().notes(values))?.slice(1);
  const [ports, anybody] = answering(oneRegion) ?? [];
  assert.equal(ports, 'tcp 9091, 9092');
  assert.match(String(anybody), /^ANYBODY who reaches them, until networkPolicy\.monitoringCidrs/);
  const { signalling } = ofPods;
  assert.deepEqual(answering({ ...oneRegion, networkPolicy, signalling }), ['tcp 9092', '10.244.0.0/16, 2001:db8::7']);
  assert.equal(answering({ ...oneRegion, ...ofPods }), undefined);
});

test('drachtio-server’s metrics are asked for where its edge-config has put them', { skip }, async () => {
  for (const name of ['one region', 'load balancers']) {
    const objects = objectsOf(name);
    const pod = podsOf(objects).find(({ component }) => component === 'signalling');
    assert.ok(pod);
    const { edgeMetrics } = read.parse(await configurationOf(pod, objects));
    assert.equal(edgeMetrics, '127.0.0.1:9023');
    const edge = pod.spec.initContainers.find((one) => one.name === 'edge-config');
    assert.ok(edge?.args.includes('--metrics-port=9023'));
    const ports = pod.spec.initContainers.flatMap((one) => one.ports.map(({ containerPort }) => containerPort));
    assert.ok(!ports.includes(9023), 'it is reached from the pod alone');
  }
});

test('in a cluster of IPv6 alone no service listens on IPv4', { skip }, async () => {
  const listeners = (config: unknown) =>
    JSON.stringify(config).match(/"(?:grpcL|l)isten":(?:"[^"]*"|\{[^}]*\})/g) ?? [];
  let seen = 0;
  for (const name of ['one region', 'web face']) {
    const objects = objectsOf(name);
    for (const pod of podsOf(objects)) {
      const config = await configurationOf(pod, objects, 'fd00::7');
      if (config === undefined) continue;
      const found = listeners(config);
      assert.ok(found.length >= 2, `${name}: ${pod.component}: gRPC or HTTPS, and management`);
      for (const one of found) assert.match(one, /::/, `${name}: ${pod.component}`);
      seen += 1;
    }
  }
  assert.equal(seen, 9);
});
