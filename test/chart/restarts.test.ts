// A pod with live calls drains for long, so its template changes only with what its service reads; and it mounts no other files.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { configurationOf } from './configuration.js';
import { chartFolder, type Manifest, type Render } from './helm.js';
import { podsOf } from './pods.js';
import { helm, skip } from './renders.js';
import { oneRegion } from './values.js';

const { contoso } = oneRegion.config.tenants;
const more = { ...contoso, accountId: 'AC0124', region: 'westus' };
const regions = { ...oneRegion.regions, westus: { recorders: ['global'] } };
const issuer = { tenant: 'contoso', issuer: 'https://login.example/contoso', audience: 'api://sidestream' };
const gateway = { issuers: [issuer], origins: ['https://crm.example'] };

const workload = z.object({ spec: z.object({ template: z.unknown() }) });

/** The names of workloads whose pods are replaced when `before` becomes `after`. */
function replaced(before: Render, after: Render): string[] {
  const templates = (objects: readonly Manifest[]) =>
    new Map(
      objects
        .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
        .map((one) => [
          one.metadata.name.replace('prod-sidestream-', ''),
          JSON.stringify(workload.parse(one).spec.template),
        ]),
    );
  const later = templates(helm().template(after));
  return [...templates(helm().template(before))].flatMap(([name, text]) => (later.get(name) === text ? [] : [name]));
}

test('a second region, or settings of the web face, leave the pods of the first cell as they are', { skip }, () => {
  assert.deepEqual(replaced({ values: oneRegion }, { values: { ...oneRegion, regions } }), []);
  const { config } = oneRegion;
  const [before, after] = [gateway, { ...gateway, origins: [] }].map((one) => ({
    values: { ...oneRegion, gateway: { enabled: true }, config: { ...config, gateway: one } },
  }));
  assert.ok(before && after);
  assert.deepEqual(replaced(before, after), ['gateway']);
});

test('a new tenant restarts what serves it: no relay, and no policy-sync where its policy is a file', { skip }, () => {
  const config = { ...oneRegion.config, tenants: { contoso, fabrikam: more } };
  const both = { ...oneRegion, regions };
  assert.deepEqual(replaced({ values: both }, { values: { ...both, config } }), ['eastus-sip', 'westus-sip']);
});

test('a new node’s address replaces no pod on another', { skip }, () => {
  const [before, after] = [{ 'node-1': '203.0.113.1' }, { 'node-1': '203.0.113.1', 'node-2': '203.0.113.2' }].map(
    (nodeAddresses) => ({ values: { ...oneRegion, signalling: { nodeAddresses }, mediaRelay: { nodeAddresses } } }),
  );
  assert.ok(before && after);
  assert.deepEqual(replaced(before, after), []);
});

test('a chart in which nothing but its version is new replaces no pod', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-chart-'));
  try {
    cpSync(chartFolder, folder, { recursive: true });
    const file = join(folder, 'Chart.yaml');
    const text = readFileSync(file, 'utf8');
    const newer = text.replace(/^version: .*$/m, 'version: 99.0.0');
    assert.notEqual(newer, text);
    writeFileSync(file, newer);
    assert.deepEqual(replaced({ values: oneRegion }, { values: oneRegion, chart: folder }), []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('each pod mounts the files that its service reads, and with them the service reads its configuration', {
  skip,
}, async () => {
  const file = (path: string, keys: string[]) => ({ path, secret: path, keys });
  const provided = {
    ...more,
    organizationId: 'ad3dca46-962a-4895-9f85-d25f3828781f',
    recording: { ...contoso.recording, trustFile: 'files/trust/ca.crt' },
    policy: { source: 'provider', identitiesFile: 'files/identities/users.csv' },
    provider: {
      entraTenantId: 'fabrikam.example',
      clientId: '11111111-1111-4111-8111-111111111111',
      clientSecretFile: 'files/entra/secret',
      bodyTemplateFile: 'files/template/body.json',
    },
  };
  const values = {
    ...oneRegion,
    regions,
    files: [
      ...oneRegion.files,
      file('trust', ['ca.crt']),
      file('identities', ['users.csv']),
      file('entra', ['secret', 'unused']),
      file('template', ['body.json']),
      file('trunk', ['password']),
      file('web', ['tls.crt', 'tls.key']),
      file('extra', ['ca.crt']),
      file('traces', ['headers']),
    ],
    config: {
      tenants: { contoso, fabrikam: provided },
      trunks: {
        ...oneRegion.config.trunks,
        pbx: { ...oneRegion.config.trunks.pbx, credentials: { username: 'x', passwordFile: 'files/trunk/password' } },
      },
      telemetry: { traces: { endpoint: 'https://collector.example', headersFile: 'files/traces/headers' } },
      gateway: { ...gateway, tls: { certFile: 'files/web/tls.crt', keyFile: 'files/web/tls.key' } },
    },
    gateway: { enabled: true },
    registration: { extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/etc/sidestream/files/extra/ca.crt' }] },
  };
  const objects = helm().template({ values });
  const identity = ['contoso/tls.crt', 'contoso/tls.key'];
  const expected: Readonly<Record<string, readonly string[]>> = {
    'media-relay': [],
    signalling: [...identity, 'policy/policy.yaml', 'trunk/password', 'trust/ca.crt'],
    'policy-sync': ['entra/secret', 'identities/users.csv'],
    registration: [...identity, 'entra/secret', 'extra/ca.crt', 'template/body.json'],
    gateway: ['web/tls.crt', 'web/tls.key'],
  };
  const seen = new Set<string>();
  for (const pod of podsOf(objects)) {
    const own = expected[pod.component];
    if (own === undefined) continue;
    seen.add(pod.component);
    const sources = pod.spec.volumes.find(({ name }) => name === 'config')?.projected?.sources ?? [];
    const mounted = sources.flatMap(({ secret, configMap }) => secret?.items ?? configMap?.items ?? []);
    const files = mounted.flatMap(({ path }) => (path.startsWith('files/') ? [path.slice('files/'.length)] : []));
    assert.deepEqual(files.sort(), [...own, 'traces/headers'].sort(), pod.owner.metadata.name);
    await assert.doesNotReject(configurationOf(pod, objects), pod.owner.metadata.name);
  }
  assert.equal(seen.size, 5);
});
