import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createLogger } from '@sidestream/service';
import type { SyncedTenant } from '../config.js';
import { FetchThread } from './fetch-thread.js';

const log = createLogger({ name: 'test', instance: '1', level: 'silent' });
const thisFile = new URL(import.meta.url).pathname;
const never = new AbortController().signal;

function tenant(provider: object = {}, policy: object = {}): SyncedTenant {
  const maxAgeMs = 60_000;
  return {
    tenant: 'contoso',
    policy: { source: 'provider', pollIntervalMs: 1_000, maxAgeMs, stale: 'keep', identityErrors: 'skip', ...policy },
    provider: {
      ...{ entraTenantId: 'contoso.example', clientId: '1b6f9f60-9c70-4a6c-8f0a-0d4f9d6a2c22' },
      ...{ resourceAppId: 'f448d7e5-e313-4f90-a3eb-5dbb3277e4b3', register: false, displayName: 'Test' },
      ...{ hosting: 'cloud', sourceIpNetwork: '0.0.0.0', certificateForm: 'dotnet' },
      ...{ authority: 'https://127.0.0.1:1', apiBaseUrl: 'https://127.0.0.1:1', clientSecretFile: '/nowhere/secret' },
      ...provider,
    },
    recorders: [],
    enabled: true,
  };
}

function open(t: TestContext, one: SyncedTenant, limits: object = {}): FetchThread {
  const thread = new FetchThread({ tenants: [one] }, log, () => undefined, limits);
  t.after(() => thread.close());
  return thread;
}

test('a file that cannot be read is named', async (t) => {
  const identities = open(t, tenant({}, { identitiesFile: '/nowhere/identities.csv' }));
  await assert.rejects(identities.fetch('contoso', undefined, never), {
    code: 'file-unusable',
    retryable: false,
    message: /no such file .*\/nowhere\/identities\.csv/,
  });
  const trust = open(t, tenant({ clientSecretFile: thisFile, trustFile: '/nowhere/trust.pem' }));
  await assert.rejects(trust.fetch('contoso', undefined, never), { code: 'file-unusable', message: /trust\.pem/ });
});

test('a secret that cannot be read is told, and nothing is asked of anybody', async (t) => {
  await assert.rejects(open(t, tenant()).fetch('contoso', undefined, never), { message: /\/nowhere\/secret/ });
});

test('a fetch that is given up ends at once', async (t) => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const address = silent.address();
  const origin = `https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const thread = open(t, tenant({ authority: origin, apiBaseUrl: origin, clientSecretFile: thisFile }));
  const giving = new AbortController();
  const fetching = thread.fetch('contoso', undefined, giving.signal);
  silent.once('connection', (socket) => {
    t.after(() => socket.destroy());
    giving.abort(new Error('no longer active'));
  });
  await assert.rejects(fetching, { message: 'no longer active' });
});

test('the thread out of memory: the fetch fails, the process goes on and begins another thread', async (t) => {
  const thread = open(t, tenant(), { maxOldGenerationSizeMb: 1, maxYoungGenerationSizeMb: 1 });
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await assert.rejects(thread.fetch('contoso', undefined, never), {
      code: 'fetch-failed',
      retryable: true,
      message: /memory limit/,
    });
  }
});
