import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readRegistrationConfig } from './config.js';

const directory = mkdtempSync(join(tmpdir(), 'registration-config-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'sidestream.yaml');
writeFileSync(join(directory, 'any'), 'x');

const tenant = (more: object) => ({
  region: 'eastus',
  accountId: 'AC1',
  organizationId: 'ad3dca46-962a-4895-9f85-d25f3828781f',
  recording: { identity: { certFile: 'any', keyFile: 'any' } },
  policy: { source: 'file', file: 'any' },
  ...more,
});
const provider = {
  entraTenantId: 'contoso.example',
  clientId: '11111111-1111-4111-8111-111111111111',
  clientSecretFile: 'any',
};

function read(tenants: object, environment: NodeJS.ProcessEnv = {}, registration: object = {}) {
  const config = {
    nats: { servers: ['nats://127.0.0.1:4222'] },
    regions: { eastus: { recorders: ['eastus'] } },
    trunks: {},
    signalling: {},
    mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
    tenants,
    registration,
  };
  writeFileSync(file, JSON.stringify(config));
  return readRegistrationConfig({ SIDESTREAM_CONFIG: file, ...environment });
}

test('tenants with a provider are registered, unless register is false', () => {
  const { tenants } = read({
    with: tenant({ provider }),
    without: tenant({}),
    otherwise: tenant({ provider: { ...provider, register: false } }),
  });
  assert.deepEqual([...tenants.keys()], ['with']);
  const { settings, identity } = tenants.get('with') ?? {};
  assert.equal(settings?.apiBaseUrl, 'https://api.media.recording.dynamics.com');
  assert.equal(settings?.accountId, 'AC1');
  assert.equal(identity?.certFile, join(directory, 'any'));
});

test('a tenant that is to be registered needs an organization and an account', () => {
  assert.throws(
    () => read({ with: tenant({ provider, organizationId: undefined }) }),
    /tenants\.with\.organizationId.*is needed to register/s,
  );
});

test('the instance is named by the environment, else by the configuration; it must fit into a NATS key', () => {
  assert.equal(read({}, { SIDESTREAM_INSTANCE: 'two' }, { id: 'one' }).instance, 'two');
  assert.equal(read({}, {}, { id: 'one' }).instance, 'one');
  assert.throws(() => read({}, { SIDESTREAM_INSTANCE: 'a.b' }), /SIDESTREAM_INSTANCE/);
});
