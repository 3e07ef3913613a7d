// The pod in which operators run the command line: it reaches what runbooks need, with rights of its own, and serves nobody.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { podFaults, podsOf } from './pods.js';
import { helm, objectsOf, skip } from './renders.js';
import { oneRegion } from './values.js';

const name = 'prod-sidestream-operator';
const isIts = ({ metadata }: { metadata: { name: string } }) => metadata.name === name;

test('there is none unless it is wanted, and then nothing but it comes with it', { skip }, () => {
  const without = helm().template({ values: oneRegion });
  const objects = helm().template({ values: { ...oneRegion, operator: { enabled: true } } });
  const ids = (all: typeof objects) => all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  assert.deepEqual(
    ids(objects).filter((id) => !ids(without).includes(id)),
    ['NetworkPolicy', 'ServiceAccount', 'ConfigMap', 'Deployment'].map((kind) => `${kind} ${name}`),
  );
  const exec = /kubectl -n voice exec deploy\/prod-sidestream-operator -- sidestream calls list/;
  assert.match(helm().notes({ ...oneRegion, operator: { enabled: true } }), exec);
  assert.doesNotMatch(helm().notes(oneRegion), exec);
  // Calls of nobody drain for it.
  const cells = (all: typeof objects) => podsOf(all).filter(({ component }) => component !== 'cli');
  assert.deepEqual(cells(objects), cells(without));
});

test('its NATS user and its certificate are its own, and it mounts all that files name, there or not', { skip }, () => {
  for (const [render, tls] of [
    ['operator', 'prod-sidestream-cli-tls'],
    ['production', `${name}-tls`],
  ] as const) {
    const pod = podsOf(objectsOf(render)).find(({ owner }) => isIts(owner));
    assert.ok(pod, render);
    assert.deepEqual(podFaults(pod), []);
    const sources = z
      .array(
        z.object({
          secret: z.looseObject({ name: z.string(), optional: z.boolean().default(false) }).optional(),
          configMap: z.looseObject({ name: z.string(), optional: z.boolean().default(false) }).optional(),
        }),
      )
      .parse(rawSources(pod.owner));
    const mounted = Object.fromEntries(
      sources.flatMap(({ secret, configMap }) => {
        const one = secret ?? configMap;
        return one === undefined ? [] : [[one.name, one.optional]];
      }),
    );
    assert.deepEqual(mounted, {
      [name]: false,
      [tls]: false,
      'prod-sidestream-nats-cli': false,
      'contoso-identity': true,
      'contoso-policy': true,
      ...(render === 'operator' ? { 'web-tls': true } : { 'nats-client': false }),
    });
  }
});

test('commands find the configuration there, as runbooks name it too, and probes an answer', { skip }, () => {
  const pod = podsOf(objectsOf('operator')).find(({ owner }) => isIts(owner));
  const [container] = pod?.spec.containers ?? [];
  assert.ok(container);
  assert.deepEqual(container.args, ['wait', '--port=9096']);
  assert.equal(container['workingDir'], '/etc/sidestream');
  assert.deepEqual(container.env, [{ name: 'SIDESTREAM_CONFIG', value: '/etc/sidestream/sidestream.yaml' }]);
  assert.deepEqual(container.ports, [{ name: 'management', containerPort: 9096, protocol: 'TCP' }]);
});

test('where only some addresses may send SIP, it may ask by OPTIONS as well', { skip }, () => {
  const values = {
    ...oneRegion,
    operator: { enabled: true },
    signalling: {
      network: 'loadBalancer',
      advertise: 'pod',
      loadBalancer: { sourceRanges: ['203.0.113.0/24'] },
    },
  };
  const policy = helm()
    .template({ values })
    .find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'prod-sidestream-eastus-sip');
  const from = z.array(z.looseObject({ podSelector: z.looseObject({ matchLabels: z.looseObject({}) }).optional() }));
  const { spec } = z
    .object({ spec: z.looseObject({ ingress: z.array(z.looseObject({ from: from.optional() })) }) })
    .parse(policy);
  const selectors = spec.ingress.flatMap((rule) => rule.from ?? []).flatMap(({ podSelector }) => podSelector ?? []);
  assert.ok(
    selectors.some(({ matchLabels }) => matchLabels['app.kubernetes.io/component'] === 'cli'),
    JSON.stringify(selectors),
  );
});

/** Of /etc/sidestream, as they are rendered. */
function rawSources(owner: unknown): unknown {
  const volume = z.looseObject({ name: z.string(), projected: z.object({ sources: z.unknown() }).optional() });
  const template = z.object({ spec: z.looseObject({ volumes: z.array(volume) }) });
  const { spec } = z.object({ spec: z.looseObject({ template }) }).parse(owner);
  return spec.template.spec.volumes.find((one) => one.name === 'config')?.projected?.sources;
}
