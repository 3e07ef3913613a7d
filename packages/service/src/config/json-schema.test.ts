import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { configJsonSchema } from './json-schema.js';

const good = {
  nats: { servers: ['nats://127.0.0.1:4222'] },
  regions: { eastus: { recorders: ['eastus', ['sip:a.example', { uri: 'sip:b.example', maxSessions: 2 }]] } },
  tenants: {
    contoso: {
      region: 'eastus',
      recording: { identity: { certFile: 'a.crt', keyFile: 'a.key' } },
      policy: { source: 'provider', maxAge: '24h' },
    },
  },
  trunks: { pbx: { tenant: 'contoso', side: 'seller', targets: ['sip:10.0.0.5'], routes: [{ to: 'carrier' }] } },
  signalling: {},
  mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
  gateway: { issuers: [{ tenant: 'contoso', issuer: 'https://issuer.example', audience: 'sidestream' }] },
};

test('the JSON Schema is draft-07, takes what may be written and refuses unknown keys and wrong kinds', () => {
  const schema = configJsonSchema();
  assert.equal(schema['$schema'], 'http://json-schema.org/draft-07/schema#');
  const reader = z.fromJSONSchema(schema);
  const fails = (document: unknown) => !reader.safeParse(document).success;
  assert.equal(fails(good), false, JSON.stringify(reader.safeParse(good).error?.issues));
  assert.ok(fails({ ...good, colour: 'blue' }));
  assert.ok(fails({ ...good, mediaRelay: { rtpengine: { ng: 22222 } } }));
  assert.ok(fails({ ...good, trunks: { pbx: { ...good.trunks.pbx, side: 'middle' } } }));
  assert.ok(fails({ ...good, nats: undefined }));
});
