import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sipIdentities } from './sip-identities.js';

test('RFC 5922 §7.1: the domains of sip URIs count, and DNS names only where there are none', () => {
  assert.deepEqual(sipIdentities('DNS:host.example, URI:sip:Carrier.Example, URI:https://carrier.example/'), [
    'carrier.example',
  ]);
  assert.deepEqual(sipIdentities('DNS:PBX.example, DNS:pbx2.example, IP Address:192.0.2.1'), [
    'pbx.example',
    'pbx2.example',
  ]);
  for (const nothing of [undefined, '', 'IP Address:192.0.2.1', 'email:sip@carrier.example'])
    assert.deepEqual(sipIdentities(nothing), []);
});

test('RFC 5922 §7.1, §7.2: a URI with a user and a wildcard name nobody', () => {
  assert.deepEqual(sipIdentities('URI:sip:alice@carrier.example, DNS:carrier.example'), []);
  assert.deepEqual(sipIdentities('DNS:*.carrier.example'), []);
});

test('a name that plays with separators is not taken apart', () => {
  assert.deepEqual(sipIdentities('DNS:"evil.example, DNS:carrier.example", DNS:own.example'), ['own.example']);
  assert.deepEqual(sipIdentities('URI:"sip:a.example\\", DNS:carrier.example"'), []);
});
