import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from './schema.js';
import { configWarnings } from './warnings.js';

function warnings(recording: object) {
  const identity = { certFile: 'cert.pem', keyFile: 'key.pem' };
  return configWarnings(
    configSchema.parse({
      nats: { servers: ['nats://127.0.0.1:4222'] },
      regions: { us: { recorders: ['eastus'] } },
      tenants: {
        contoso: {
          accountId: 'AC0123',
          region: 'us',
          recording: { identity, ...recording },
          policy: { source: 'file', file: 'policy.yaml' },
        },
      },
      trunks: {},
      signalling: {},
      mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
    }),
  ).map(({ path }) => path);
}

test('RFC 7866 §6.1.2: a tenant that declares no way to tell the parties of the recording is warned of', () => {
  assert.deepEqual(warnings({}), ['tenants.contoso.recording.notice']);
  for (const notice of ['awareness', 'contract']) assert.deepEqual(warnings({ notice }), []);
  assert.deepEqual(warnings({ enabled: false }), []);
});
