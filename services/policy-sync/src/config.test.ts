import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readPolicySyncConfig } from './config.js';

const directory = mkdtempSync(join(tmpdir(), 'policy-sync-config-'));
after(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, 'any'), 'x');

const tenant = (more: object) => ({
  ...{ region: 'eastus', accountId: 'AC1', recording: { identity: { certFile: 'any', keyFile: 'any' } } },
  policy: { source: 'provider' },
  provider: {
    ...{ entraTenantId: 'contoso.example', clientId: '11111111-1111-4111-8111-111111111111' },
    ...{ clientSecretFile: 'any', register: false },
  },
  ...more,
});

function read(tenants: object) {
  const SIDESTREAM_CONFIG = join(directory, 'sidestream.yaml');
  const config = {
    nats: { servers: ['nats://127.0.0.1:4222'] },
    regions: { eastus: { recorders: ['eastus', 'sip:other.example'] } },
    ...{ tenants, trunks: {}, signalling: {}, mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } } },
    policySync: { id: 'sync-0' },
  };
  writeFileSync(SIDESTREAM_CONFIG, JSON.stringify(config));
  return readPolicySyncConfig({ SIDESTREAM_CONFIG });
}

test('the tenants whose policy comes from the provider, with their recorders', () => {
  const { instance, tenants } = read({
    contoso: tenant({}),
    fabrikam: tenant({ recorders: ['westeurope'] }),
    filed: tenant({ policy: { source: 'file', file: 'any' } }),
  });
  assert.equal(instance, 'sync-0');
  assert.deepEqual(
    tenants.map((one) => [one.tenant, one.recorders, one.enabled]),
    [
      ['contoso', ['eastus', 'sip:other.example'], true],
      ['fabrikam', ['westeurope'], true],
    ],
  );
});

test('a country whose numbers nobody knows is told with its key', () => {
  const policy = { source: 'provider', defaultCountry: 'XX' };
  assert.throws(() => read({ contoso: tenant({ policy }) }), {
    name: 'ConfigError',
    message: /tenants\.contoso\.policy\.defaultCountry: 'XX' is no country/,
  });
});
