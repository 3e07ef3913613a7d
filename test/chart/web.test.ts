// The way in to the web face: TLS up to the gateway, which is checked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Manifest } from './helm.js';
import { podsOf } from './pods.js';
import { helm, objectsOf, skip } from './renders.js';
import { schemaFaults } from './schema-check.js';
import { oneRegion } from './values.js';

const policy = z.looseObject({
  apiVersion: z.string(),
  spec: z.object({
    targetRefs: z.array(z.object({ group: z.string(), kind: z.string(), name: z.string(), sectionName: z.string() })),
    validation: z.object({ hostname: z.string(), caCertificateRefs: z.array(z.unknown()) }),
  }),
});
const route = z.looseObject({
  spec: z.looseObject({
    rules: z.array(z.looseObject({ backendRefs: z.array(z.object({ name: z.string(), port: z.number() })) })),
  }),
});
const service = z.looseObject({
  spec: z.looseObject({ ports: z.array(z.looseObject({ name: z.string(), port: z.number() })) }),
});

const policyOf = (objects: readonly Manifest[]) =>
  policy.parse(objects.find(({ kind }) => kind === 'BackendTLSPolicy'));

test('the Gateway of an HTTPRoute speaks TLS to the port of its Service, and checks it by the gateway’s own authority', {
  skip,
}, () => {
  const objects = objectsOf('web face');
  const { apiVersion, spec } = policyOf(objects);
  assert.equal(apiVersion, 'gateway.networking.k8s.io/v1');
  assert.equal(spec.validation.hostname, 'sidestream.internal');
  const [target] = spec.targetRefs;
  const found = objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === target?.name);
  const port = service.parse(found).spec.ports.find(({ name }) => name === target?.sectionName)?.port;
  const [rule] = route.parse(objects.find(({ kind }) => kind === 'HTTPRoute')).spec.rules;
  assert.deepEqual(rule?.backendRefs, [{ name: target?.name, port }]);
  const [gateway] = podsOf(objects).filter(({ component, owner }) => component === 'gateway' && owner.kind !== 'Pod');
  const sources = gateway?.spec.volumes.find(({ name }) => name === 'config')?.projected?.sources ?? [];
  const authority = sources.find(({ secret }) => secret?.items.some(({ path }) => path === 'tls/ca.crt'))?.secret?.name;
  assert.deepEqual(spec.validation.caCertificateRefs, [{ group: '', kind: 'Secret', name: authority }]);
});

test('its version is what the cluster has, or what values say', { skip }, () => {
  assert.equal(policyOf(objectsOf('web face, older Gateway API')).apiVersion, 'gateway.networking.k8s.io/v1alpha3');
  const { apiVersion, spec } = policyOf(objectsOf('web face, own certificate'));
  assert.equal(apiVersion, 'gateway.networking.k8s.io/v1');
  assert.deepEqual(spec.validation, {
    hostname: 'sidestream.example',
    caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'public-ca' }],
  });
});

const rendering = (httpRoute: object, more: object = {}) => {
  const values = { ...oneRegion, ...more, gateway: { enabled: true, httpRoute: { enabled: true, ...httpRoute } } };
  return () => helm().template({ values, apiVersions: ['gateway.networking.k8s.io/v1'] });
};
const parentRefs = [{ name: 'public' }];

test('a route that would speak in clear to TLS is refused', { skip }, () => {
  assert.throws(rendering({ parentRefs }), /backendTls: the cluster has no BackendTLSPolicy/);
  const otherwise = rendering({ parentRefs, backendTls: { enabled: false } })();
  assert.ok(otherwise.some(({ kind }) => kind === 'HTTPRoute'));
  assert.ok(otherwise.every(({ kind }) => kind !== 'BackendTLSPolicy'));
  assert.throws(rendering({ parentRefs, backendTls: { version: 'v2' } }), /backendTls\.version/);
  const issuer = { tenant: 'contoso', issuer: 'https://login.example/contoso', audience: 'api://sidestream' };
  const tls = { certFile: 'files/web/tls.crt', keyFile: 'files/web/tls.key' };
  const own = { config: { ...oneRegion.config, gateway: { issuers: [issuer], tls } } };
  assert.throws(rendering({ parentRefs, backendTls: { version: 'v1' } }, own), /hostname and ca\.name are needed/);
});

test('the check of a BackendTLSPolicy finds a typo and a missing name', { skip }, async () => {
  const whole = objectsOf('web face').find(({ kind }) => kind === 'BackendTLSPolicy');
  const text = JSON.stringify(whole);
  for (const broken of [text.replace('targetRefs', 'targetRef'), text.replace('"hostname"', '"host"')])
    assert.match((await schemaFaults([JSON.parse(broken) as Manifest])).join(), /targetRef|host/);
});
