// With externalSecrets no Secret is missing: each that pods and Ingresses name is fetched, with the keys that they need, and no other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Manifest } from './helm.js';
import { podsOf } from './pods.js';
import { helm, objectsOf, skip } from './renders.js';
import { schemaFaults } from './schema-check.js';
import { oneRegion, production } from './values.js';

const external = z.looseObject({
  apiVersion: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    refreshInterval: z.string(),
    secretStoreRef: z.object({ name: z.string(), kind: z.string() }),
    target: z.looseObject({ name: z.string(), template: z.object({ type: z.string() }).optional() }),
    data: z.array(z.object({ secretKey: z.string(), remoteRef: z.object({ key: z.string(), property: z.string() }) })),
  }),
});
const externals = (objects: readonly Manifest[]) =>
  objects.filter(({ kind }) => kind === 'ExternalSecret').map((one) => external.parse(one));

const secretVolume = z.object({ secret: z.object({ secretName: z.string() }) });
const secretVariable = z.object({
  valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }),
});
const ingress = z.looseObject({ spec: z.looseObject({ tls: z.array(z.looseObject({ secretName: z.string() })) }) });
const certificate = z.looseObject({ spec: z.looseObject({ secretName: z.string() }) });

/** Each Secret that the objects need, with its keys; without those that cert-manager makes. */
function needed(objects: readonly Manifest[]): Map<string, Set<string>> {
  const needs = new Map<string, Set<string>>();
  const need = (name: string, keys: readonly string[]) =>
    needs.set(name, new Set([...(needs.get(name) ?? []), ...keys]));
  for (const { spec } of podsOf(objects)) {
    for (const { name } of spec.imagePullSecrets) need(name, ['.dockerconfigjson']);
    for (const volume of spec.volumes) {
      for (const { secret } of volume.projected?.sources ?? [])
        if (secret !== undefined)
          need(
            secret.name,
            secret.items.map(({ key }) => key),
          );
      const whole = secretVolume.safeParse(volume);
      if (whole.success) need(whole.data.secret.secretName, ['tls.crt', 'tls.key']);
    }
    for (const variable of spec.containers.flatMap(({ env }) => env)) {
      const { success, data } = secretVariable.safeParse(variable);
      if (success) need(data.valueFrom.secretKeyRef.name, [data.valueFrom.secretKeyRef.key]);
    }
  }
  for (const one of objects.filter(({ kind }) => kind === 'Ingress'))
    for (const { secretName } of ingress.parse(one).spec.tls) need(secretName, ['tls.crt', 'tls.key']);
  for (const one of objects.filter(({ kind }) => kind === 'Certificate'))
    needs.delete(certificate.parse(one).spec.secretName);
  return needs;
}

test('each Secret that is needed is fetched with its keys, but for those that are there by other means', {
  skip,
}, () => {
  const cases = { 'external secrets': [], 'external secrets, web face': ['web-tls'], production: ['registry'] };
  for (const [name, except] of Object.entries(cases)) {
    const objects = objectsOf(name);
    const needs = needed(objects);
    for (const one of except) assert.ok(needs.delete(one), `${name}: ${one}`);
    const fetched = new Map(
      externals(objects).map(({ spec }) => [spec.target.name, new Set(spec.data.map(({ secretKey }) => secretKey))]),
    );
    assert.deepEqual([...fetched].sort(), [...needs].sort(), name);
    assert.ok(fetched.size >= 5, name);
    for (const { spec, metadata } of externals(objects)) {
      assert.equal(metadata.name, spec.target.name);
      for (const { secretKey, remoteRef } of spec.data) {
        assert.equal(remoteRef.property, secretKey);
        assert.match(remoteRef.key, new RegExp(`^(voice/)?${spec.target.name}$`));
      }
    }
  }
});

test('a Secret of a kind of its own is made as that kind', { skip }, () => {
  const typed = externals(objectsOf('external secrets')).flatMap(({ spec }) =>
    spec.target.template === undefined ? [] : [`${spec.target.name}: ${spec.target.template.type}`],
  );
  assert.deepEqual(typed, ['registry: kubernetes.io/dockerconfigjson', 'web-tls: kubernetes.io/tls']);
});

test('the version is v1, and v1beta1 where the cluster has no other', { skip }, () => {
  const versionOf = (apiVersions: readonly string[]) =>
    new Set(externals(helm().template({ values: production, apiVersions })).map(({ apiVersion }) => apiVersion));
  const [gatewayApi, old, current] = [
    'gateway.networking.k8s.io/v1/BackendTLSPolicy',
    'external-secrets.io/v1beta1',
    'external-secrets.io/v1',
  ];
  assert.deepEqual([...versionOf([gatewayApi])], [current]);
  assert.deepEqual([...versionOf([gatewayApi, old])], [old]);
  assert.deepEqual([...versionOf([gatewayApi, old, current])], [current]);
});

test('an exception that nothing names, and a store without a name, are refused', { skip }, () => {
  const rendering = (externalSecrets: object) => () =>
    helm().template({ values: { ...oneRegion, externalSecrets: { enabled: true, ...externalSecrets } } });
  assert.throws(
    rendering({ store: { name: 'vault' }, except: ['contoso-identiy'] }),
    /externalSecrets\.except: contoso-identiy is no Secret that these values refer to; those are: contoso-identity, /,
  );
  assert.throws(rendering({}), /externalSecrets\.store\.name is needed/);
});

test('the check of an ExternalSecret finds a typo, a wrong type and a missing key', { skip }, async () => {
  const broken = ['external secrets', 'external secrets, web face'].flatMap((name) => {
    const [whole] = objectsOf(name).filter(({ kind }) => kind === 'ExternalSecret');
    const text = JSON.stringify(whole);
    const { apiVersion = '' } = whole ?? {};
    return [
      { word: 'secretStoreReference', text: text.replace('secretStoreRef', 'secretStoreReference') },
      { word: 'property', text: text.replace(/"property":"[^"]*"/, '"property":7') },
      { word: 'secretKey', text: text.replace(/"secretKey":"[^"]*",?/, '') },
    ].map((one) => ({ ...one, name: `${apiVersion}-${one.word}`, version: apiVersion }));
  });
  assert.deepEqual(
    [...new Set(broken.map(({ version }) => version))],
    ['external-secrets.io/v1', 'external-secrets.io/v1beta1'],
  );
  const objects = broken.map(({ text, name }): Manifest => {
    const object: Manifest = JSON.parse(text);
    return { ...object, metadata: { ...object.metadata, name } };
  });
  const faults = await schemaFaults(objects);
  for (const { name, word } of broken)
    assert.ok(
      faults.some((fault) => fault.startsWith(`ExternalSecret ${name}: `) && fault.includes(word)),
      `${name}: ${faults.join()}`,
    );
});
