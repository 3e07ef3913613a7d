// Whom pods may reach: anybody, or who is named, with what each needs besides.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Manifest } from './helm.js';
import { helm, objectsOf, skip } from './renders.js';
import { oneRegion } from './values.js';

const policy = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ policyTypes: z.array(z.string()), egress: z.array(z.looseObject({})).optional() }),
});
const policies = (objects: readonly Manifest[]) =>
  objects
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map((one) => policy.parse(one))
    .map(({ metadata, spec }) => [metadata.name.replace('prod-sidestream-', ''), spec] as const);

test('pods reach anybody unless values say whom', { skip }, () => {
  const found = policies(objectsOf('production'));
  assert.ok(found.length > 3);
  for (const [name, { policyTypes, egress }] of found)
    assert.deepEqual({ policyTypes, egress }, { policyTypes: ['Ingress'], egress: undefined }, name);
});

test('where values say whom, DNS, NATS and the services that each calls come to it, and nobody else', { skip }, () => {
  const told = { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }] };
  const tcp = (port: number) => ({ protocol: 'TCP', port });
  const with53 = (...ports: number[]) => [
    { ports: [{ protocol: 'UDP', port: 53 }, tcp(53), ...[4222, ...ports].map(tcp)] },
    told,
  ];
  assert.deepEqual(
    Object.fromEntries(
      policies(objectsOf('egress')).map(([name, { policyTypes, egress }]) => [name, [policyTypes, egress]]),
    ),
    {
      'eastus-media': [['Ingress', 'Egress'], with53()],
      'eastus-sip': [['Ingress', 'Egress'], with53(9102)],
      gateway: [['Ingress', 'Egress'], with53(9101, 9103, 9104)],
      operator: [['Ingress', 'Egress'], with53(9101, 9103, 9104)],
      'policy-sync': [['Ingress', 'Egress'], with53()],
      registration: [['Ingress'], undefined],
    },
  );
});

test('ports are those of NATS’s servers and of the cell', { skip }, () => {
  const networkPolicy = { egress: [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }] };
  const objects = helm().template({
    values: {
      ...oneRegion,
      nats: { servers: ['tls://a.example', 'tls://b.example:5222', 'tls://[2001:db8::1]'] },
      operator: { enabled: true, networkPolicy },
      regions: {
        eastus: {
          recorders: ['eastus'],
          signalling: { network: 'loadBalancer', advertise: 'pod', ports: { grpc: 9201 }, networkPolicy },
          mediaRelay: { ports: { grpc: 9202 } },
        },
        northeurope: { recorders: ['northeurope'] },
      },
    },
  });
  const ports = (name: string) => {
    const [, spec] = policies(objects).find(([one]) => one === name) ?? [];
    const [rule] = z
      .array(z.object({ ports: z.array(z.object({ port: z.number() })) }).optional())
      .parse([spec?.egress?.[0]]);
    return rule?.ports.slice(2).map(({ port }) => port);
  };
  assert.deepEqual(ports('eastus-sip'), [4222, 5222, 9202]);
  assert.deepEqual(ports('operator'), [4222, 5222, 9201, 9101, 9103, 9104]);
});

test('it is refused for pods that no NetworkPolicy holds', { skip }, () => {
  const networkPolicy = { egress: [{}] };
  assert.throws(
    () => helm().template({ values: { ...oneRegion, mediaRelay: { networkPolicy } } }),
    /regions\.eastus: mediaRelay\.networkPolicy\.egress is for pods on the pods' network/,
  );
  assert.throws(
    () => helm().template({ values: { ...oneRegion, policySync: { networkPolicy: { egress: ['all'] } } } }),
    /egress/,
  );
});
