// How pods are reached: ports on nodes, Services, and what helm test asks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { configurationOf } from './configuration.js';
import { podsOf } from './pods.js';
import { helm, objectsOf, skip } from './renders.js';
import { oneRegion } from './values.js';

/** Both networks, one pod and several, and all services. */
const cases = ['one region', 'load balancers', 'one pod of each', 'web face', 'production'] as const;
const renders = () => cases.map((name) => [name, objectsOf(name)] as const);

test('no two workloads that share nodes want the same port', { skip }, () => {
  for (const [name, objects] of renders()) {
    const onNodes = podsOf(objects).filter(({ spec }) => spec.hostNetwork);
    for (const region of new Set(onNodes.map((pod) => pod.region))) {
      const ports = onNodes
        .filter((pod) => pod.region === region)
        .flatMap(({ spec }) => [...spec.initContainers, ...spec.containers])
        .flatMap((one) => one.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
      assert.equal(new Set(ports).size, ports.length, `${name}, ${region}: ${ports.join(' ')}`);
    }
  }
});

test('in load balancer mode each pod has a Service that goes on while it drains', { skip }, () => {
  const service = z.object({
    metadata: z.object({ name: z.string() }),
    spec: z.looseObject({
      type: z.literal('LoadBalancer'),
      publishNotReadyAddresses: z.literal(true),
      externalTrafficPolicy: z.literal('Local'),
      selector: z.record(z.string(), z.string()),
    }),
  });
  const objects = objectsOf('load balancers');
  const services = objects.filter(({ kind, metadata }) => kind === 'Service' && /-sip-\d$/.test(metadata.name));
  assert.equal(services.length, 2);
  for (const one of services) {
    const { metadata, spec } = service.parse(one);
    assert.equal(spec.selector['statefulset.kubernetes.io/pod-name'], metadata.name);
  }
});

test('helm test asks every cell by OPTIONS: by its name in the cluster, and each pod that has a Service', {
  skip,
}, () => {
  const objects = objectsOf('production');
  const asked = podsOf(objects).flatMap(({ owner, region, spec }) =>
    owner.kind === 'Pod' ? spec.containers.map(({ args }) => `${region}: ${args[1]}`) : [],
  );
  assert.deepEqual(asked, [
    'eastus: sip:prod-sidestream-eastus-sip.voice.svc.cluster.local:5060;transport=tcp',
    'northeurope: sip:prod-sidestream-northeurope-sip.voice.svc.cluster.local:5060;transport=tcp',
    'northeurope: sip:prod-sidestream-northeurope-sip-0.voice.svc.cluster.local:5060;transport=tcp',
    'northeurope: sip:prod-sidestream-northeurope-sip-1.voice.svc.cluster.local:5060;transport=tcp',
    'southeastasia: sip:prod-sidestream-southeastasia-sip.voice.svc.cluster.local:5060;transport=tcp',
  ]);
  for (const { owner, spec } of podsOf(objects))
    if (owner.kind === 'Pod') assert.ok(Number(spec['activeDeadlineSeconds']) <= 180, owner.metadata.name);
  const names = objects.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
  for (const one of asked) assert.ok(names.includes(/sip:([^.]+)/.exec(one)?.[1] ?? ''), one);
});

test('helm test knows the name of another domain of the cluster', { skip }, () => {
  const objects = helm().template({ values: { ...oneRegion, clusterDomain: 'k8s.example' } });
  const [pod] = podsOf(objects).filter(({ owner }) => owner.kind === 'Pod');
  assert.equal(
    pod?.spec.containers[0]?.args[1],
    'sip:prod-sidestream-eastus-sip.voice.svc.k8s.example:5060;transport=tcp',
  );
});

test('Services name ports of pods by number, sidecars’ too, and pods have them', { skip }, () => {
  const service = z.looseObject({
    spec: z.looseObject({
      selector: z.record(z.string(), z.string()),
      ports: z.array(z.looseObject({ targetPort: z.number(), protocol: z.string() })).min(1),
    }),
  });
  for (const [name, objects] of renders()) {
    for (const one of objects.filter(({ kind }) => kind === 'Service')) {
      const { spec } = service.parse(one);
      const owned = podsOf(objects).filter(
        ({ component, region, owner }) =>
          owner.kind !== 'Pod' &&
          component === spec.selector['app.kubernetes.io/component'] &&
          region === spec.selector['sidestream/region'],
      );
      assert.equal(owned.length, 1, `${name}: ${one.metadata.name}`);
      const open = owned
        .flatMap((pod) => [...pod.spec.initContainers, ...pod.spec.containers])
        .flatMap(({ ports }) => ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
      for (const { targetPort, protocol } of spec.ports)
        assert.ok(open.includes(`${targetPort}/${protocol}`), `${name}: ${one.metadata.name} ${targetPort}`);
    }
  }
});

test('a region that another cluster serves has its recorders here, and nothing that runs', { skip }, async () => {
  const { contoso } = oneRegion.config.tenants;
  const values = {
    ...oneRegion,
    config: { ...oneRegion.config, tenants: { contoso, fabrikam: { ...contoso, region: 'westus' } } },
    regions: {
      ...oneRegion.regions,
      westus: { recorders: ['global'], cell: false, signalling: { sip: { tls: { secretName: 'x' } } } },
    },
    externalSecrets: { enabled: true, store: { name: 'vault' } },
    tests: { call: { enabled: true, number: '+12025550199', recorderStatus: 'http://recorder:8080' } },
  };
  const objects = helm().template({ values });
  assert.deepEqual(
    objects
      .filter(({ metadata }) => /westus/.test(metadata.name) || metadata.name === 'x')
      .map(({ metadata }) => metadata.name),
    [],
  );
  assert.deepEqual(new Set(podsOf(objects).flatMap(({ region }) => region ?? [])), new Set(['eastus']));
  const signalling = podsOf(objects).find(({ component }) => component === 'signalling');
  assert.ok(signalling);
  const { tenants } = z
    .object({ tenants: z.object({ fabrikam: z.object({ recorders: z.array(z.string()) }) }) })
    .parse(await configurationOf(signalling, objects));
  assert.deepEqual(tenants.fabrikam.recorders, ['global']);
  const notes = helm().notes(values);
  assert.match(notes, /: 1 cell\(s\)\./);
  assert.doesNotMatch(notes, /westus/);
});

test('the Service of each pod says in its provider’s words which address it wants', { skip }, () => {
  const service = z.object({ spec: z.looseObject({ loadBalancerIP: z.string().optional() }) });
  const of = (loadBalancer: object) =>
    helm()
      .template({
        values: {
          ...oneRegion,
          signalling: { network: 'loadBalancer', addresses: ['198.51.100.1', '198.51.100.2'], loadBalancer },
        },
      })
      .filter(({ kind, metadata }) => kind === 'Service' && /-sip-\d$/.test(metadata.name))
      .map((one) => [service.parse(one).spec.loadBalancerIP, one.metadata.annotations]);
  assert.deepEqual(of({}), [
    ['198.51.100.1', {}],
    ['198.51.100.2', {}],
  ]);
  const annotations = { ip: '{address}', name: 'sip-{number}' };
  assert.deepEqual(of({ setIP: false, annotations, annotationsByNumber: [{ eip: 'a' }, { eip: 'b', name: 'own' }] }), [
    [undefined, { ip: '198.51.100.1', name: 'sip-0', eip: 'a' }],
    [undefined, { ip: '198.51.100.2', name: 'own', eip: 'b' }],
  ]);
  assert.throws(
    () => of({ annotationsByNumber: [{ eip: 'a' }] }),
    /annotationsByNumber has 1 entries, there may be 2 pods/,
  );
});

test('load balancers let in the addresses of trunks, whom sourceRanges names instead, or anybody where they are not known', {
  skip,
}, () => {
  const service = z.object({ spec: z.looseObject({ loadBalancerSourceRanges: z.array(z.string()).default([]) }) });
  const { carrier, pbx } = oneRegion.config.trunks;
  const render = (trunks: object, sourceRanges: readonly string[] = []) => {
    const values = {
      ...oneRegion,
      config: { ...oneRegion.config, trunks: { carrier, ...trunks } },
      signalling: {
        network: 'loadBalancer',
        replicas: 1,
        addresses: ['198.51.100.1'],
        loadBalancer: { sourceRanges },
        sip: { tls: { secretName: 'sip-tls' } },
      },
    };
    const [one] = helm()
      .template({ values })
      .filter(({ kind, metadata }) => kind === 'Service' && /-sip-0$/.test(metadata.name));
    return [service.parse(one).spec.loadBalancerSourceRanges, values] as const;
  };
  const of = (...args: Parameters<typeof render>) => render(...args)[0];
  assert.deepEqual(of({ pbx }), ['203.0.113.0/24', '203.0.113.9/32', '10.0.0.5/32']);
  const targets = [{ uri: 'sip:192.0.2.1:5080;transport=tcp' }, 'sips:[2001:db8::1]:5061'];
  assert.deepEqual(of({ pbx: { ...pbx, peers: [], targets } }).slice(2), ['192.0.2.1/32', '2001:db8::1/128']);
  assert.deepEqual(of({ pbx }, ['0.0.0.0/0']), ['0.0.0.0/0']);
  const users = [{ username: 'a', passwordFile: 'files/contoso/tls.key' }];
  for (const more of [
    { targets: ['sip:pbx.example'] },
    { peers: [], digest: { realm: 'x', users } },
    { register: { registrar: 'sip:registrar.example', user: 'a' } },
  ]) {
    const [ranges, values] = render({ pbx: { ...pbx, ...more } });
    assert.deepEqual(ranges, []);
    assert.match(helm().notes(values), /let in by load balancers: ANYBODY, until/);
  }
});
