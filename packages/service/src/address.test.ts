import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { advertisedAddress, parseHostPort } from './address.js';

for (const [listen, advertise, address] of [
  ['127.0.0.1:0', undefined, '127.0.0.1:7000'],
  ['127.0.0.1:0', 'relay.example', 'relay.example:7000'],
  ['127.0.0.1:0', 'relay.example:7443', 'relay.example:7443'],
  ['127.0.0.1:0', '2001:db8::1', '[2001:db8::1]:7000'],
  ['127.0.0.1:0', '[2001:db8::1]:7443', '[2001:db8::1]:7443'],
  ['0.0.0.0:0', undefined, `${hostname()}:7000`],
] as const) {
  test(`listening at ${listen}, advertising ${advertise ?? 'nothing'}: reached at ${address}`, () => {
    assert.equal(advertisedAddress({ listen: parseHostPort(listen), advertise }, 7000), address);
  });
}
