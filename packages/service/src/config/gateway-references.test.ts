import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGateway } from './gateway-references.js';
import type { Loose } from './loose.js';

const issuer = { tenant: 'contoso', issuer: 'https://issuer.example', audience: 'sidestream' };
const problems = (gateway: object) => {
  const document: unknown = { tenants: { contoso: {} }, gateway };
  return [...checkGateway(document as Loose)].map(({ path, message }) => `${path} ${message}`);
};

test('a gateway on loopback with an issuer over https is right', () => {
  assert.deepEqual(problems({ listen: '127.0.0.1:0', issuers: [issuer] }), []);
  assert.deepEqual(problems({ listen: '0.0.0.0:443', tls: {}, issuers: [issuer] }), []);
  assert.deepEqual(problems({ issuers: [{ ...issuer, issuer: 'http://127.0.0.1:1234' }] }), []);
});

test('tokens do not travel in clear, issuers have one tenant each, and that is there', () => {
  assert.deepEqual(problems({ listen: '0.0.0.0:80', issuers: [issuer] }), [
    "gateway.listen '0.0.0.0:80' is not loopback: gateway.tls is needed",
  ]);
  assert.deepEqual(
    problems({
      issuers: [
        { ...issuer, tenant: 'nobody' },
        { ...issuer, jwksUri: 'http://keys.example/' },
      ],
    }),
    [
      "gateway.issuers.0.tenant no tenant 'nobody'",
      'gateway.issuers.1.issuer is the same as gateway.issuers.0.issuer',
      "gateway.issuers.1.jwksUri 'keys.example' is not loopback: it must be https",
    ],
  );
});
