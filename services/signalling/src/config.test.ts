import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '@sidestream/service';
import { readSignallingConfig } from './config.js';
import { usualTerms } from './domain/recording-terms.js';

const folder = mkdtempSync(join(tmpdir(), 'sidestream-config-'));
const at = (name: string) => join(folder, name);
after(() => rmSync(folder, { recursive: true, force: true }));
for (const name of ['cert.pem', 'key.pem', 'policy.yaml']) writeFileSync(at(name), '');
writeFileSync(at('secret'), 'hidden\n');
const tenant = {
  accountId: 'AC0123',
  region: 'us',
  recording: { identity: { certFile: 'cert.pem', keyFile: 'key.pem' } },
  policy: { source: 'file', file: 'policy.yaml' },
};
writeFileSync(
  at('sidestream.yaml'),
  JSON.stringify({
    nats: { servers: ['nats://127.0.0.1:4222'] },
    regions: { us: { recorders: ['eastus', ['global', 'uksouth']] } },
    tenants: {
      contoso: tenant,
      fabrikam: {
        ...tenant,
        recorders: ['westeurope'],
        recording: { ...tenant.recording, mode: 'required', requiredTimeoutMs: 2_000, parallel: 'all', onLoss: 'end' },
      },
      tailspin: {
        ...tenant,
        recording: { ...tenant.recording, enabled: false },
        policy: { source: 'provider', stale: 'record-all', maxAge: '2h' },
        provider: {
          entraTenantId: 'tailspin.example',
          clientId: '6f4e9c2a-6f0e-4d61-9d3b-0d6f5a3c2b10',
          clientSecretFile: 'secret',
          register: false,
        },
      },
    },
    trunks: { pbx: { tenant: 'contoso', side: 'seller', targets: ['sip:127.0.0.1:5070'], routes: [{ to: 'pbx' }] } },
    signalling: { drainSeconds: 3 },
    mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
  }),
);
const environment = { SIDESTREAM_CONFIG: at('sidestream.yaml'), SIDESTREAM_EDGE_SECRET_FILE: at('secret') };

test('edge and secret come from the environment; a tenant has its own recorders or those of its region', () => {
  const config = readSignallingConfig({
    ...environment,
    SIDESTREAM_EDGE: 'tcp://127.0.0.1:9022',
    SIDESTREAM_INSTANCE: 'a',
  });
  assert.deepEqual(config.edge, { host: '127.0.0.1', port: 9022 });
  assert.equal(config.edgeSecret.reveal(), 'hidden');
  assert.doesNotMatch(JSON.stringify(config), /hidden/);
  assert.deepEqual(config.tenants['contoso']?.recorders, ['eastus', 'global', 'uksouth']);
  assert.deepEqual(
    config.tenants['contoso']?.recorderPlaces.map(({ place }) => place),
    [0, 1, 1],
  );
  assert.deepEqual(config.tenants['fabrikam']?.recorders, ['westeurope']);
  assert.equal(config.drainMs, 3_000);
});

test('the tenants are divided by where their policy comes from; those of providers are kept in the state directory', () => {
  const config = readSignallingConfig({ ...environment, SIDESTREAM_EDGE: 'tcp://127.0.0.1:9022' });
  assert.deepEqual(
    config.policyFiles,
    ['contoso', 'fabrikam'].map((name) => ({ tenant: name, file: at('policy.yaml') })),
  );
  assert.deepEqual(config.providerPolicies, { tailspin: { rule: 'record-all', maxAgeMs: 2 * 3_600_000 } });
  assert.equal(config.policyDirectory, at('state/policies'));
  assert.deepEqual([config.tenants['contoso']?.enabled, config.tenants['tailspin']?.enabled], [true, false]);
});

test('recordings are best effort from the answer on with one recorder, unless the tenant says otherwise', () => {
  const config = readSignallingConfig({ ...environment, SIDESTREAM_EDGE: 'tcp://127.0.0.1:9022' });
  assert.deepEqual(config.recordingTerms['contoso'], usualTerms);
  assert.deepEqual(config.recordingTerms['fabrikam'], {
    ...usualTerms,
    required: true,
    requiredTimeoutMs: 2_000,
    parallel: 'all',
    onLoss: 'end',
  });
  assert.deepEqual(config.emergencyNumbers, ['112', '911']);
});

test('a recorder that nobody knows is told at the start, not by the first recording', () => {
  const file = at('unknown-recorder.yaml');
  writeFileSync(file, readFileSync(at('sidestream.yaml'), 'utf8').replace('westeurope', 'atlantis'));
  assert.throws(
    () => readSignallingConfig({ ...environment, SIDESTREAM_CONFIG: file, SIDESTREAM_EDGE: 'tcp://127.0.0.1:9022' }),
    (error) => error instanceof ConfigError && /tenants\.fabrikam\.recorders: .*'?atlantis/.test(error.message),
  );
});

test('drachtio-server’s metrics are where the environment says; what is no address is told', () => {
  const edge = { ...environment, SIDESTREAM_EDGE: 'tcp://127.0.0.1:9022' };
  assert.equal(readSignallingConfig(edge).edgeMetrics, undefined);
  const SIDESTREAM_EDGE_METRICS = '127.0.0.1:9023';
  assert.equal(readSignallingConfig({ ...edge, SIDESTREAM_EDGE_METRICS }).edgeMetrics, SIDESTREAM_EDGE_METRICS);
  assert.throws(() => readSignallingConfig({ ...edge, SIDESTREAM_EDGE_METRICS: 'here' }), {
    name: 'ConfigError',
    message: /SIDESTREAM_EDGE_METRICS: 'here' is not host:port/,
  });
});

test('an unknown edge and a missing secret are told together', () => {
  const { SIDESTREAM_CONFIG } = environment;
  assert.throws(
    () => readSignallingConfig({ SIDESTREAM_CONFIG }),
    (error) => error instanceof ConfigError && error.problems.length === 2,
  );
  assert.throws(() => readSignallingConfig({}), ConfigError);
});
