import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigError } from '@sidestream/service';
import { advertisedAddress, readRelayConfig } from './config.js';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'relay-config-'));
});
after(() => rmSync(directory, { recursive: true }));

function file(mediaRelay: object = {}): string {
  const path = join(directory, 'sidestream.yaml');
  const config = {
    ...{ nats: { servers: ['nats://127.0.0.1:4222'] }, regions: {}, tenants: {}, trunks: {}, signalling: {} },
    mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' }, ...mediaRelay },
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

test('the environment names the relay, else the file', () => {
  const SIDESTREAM_CONFIG = file({ id: 'from-file' });
  assert.equal(readRelayConfig({ SIDESTREAM_CONFIG }).instance, 'from-file');
  assert.equal(readRelayConfig({ SIDESTREAM_CONFIG, SIDESTREAM_INSTANCE: 'r-7' }).instance, 'r-7');
  assert.deepEqual(readRelayConfig({ SIDESTREAM_CONFIG }).ng, { host: '127.0.0.1', port: 22222 });
});

test('no configuration, or an id that is no part of a NATS key, is told', () => {
  assert.throws(() => readRelayConfig({}), ConfigError);
  const environment = { SIDESTREAM_CONFIG: file(), SIDESTREAM_INSTANCE: 'a.b' };
  assert.throws(() => readRelayConfig(environment), { name: 'ConfigError', message: /SIDESTREAM_INSTANCE: 'a\.b'/ });
});

for (const [listen, advertise, address] of [
  ['127.0.0.1:0', undefined, '127.0.0.1:7000'],
  ['127.0.0.1:0', 'relay.example', 'relay.example:7000'],
  ['127.0.0.1:0', 'relay.example:7443', 'relay.example:7443'],
  ['127.0.0.1:0', '2001:db8::1', '[2001:db8::1]:7000'],
  ['127.0.0.1:0', '[2001:db8::1]:7443', '[2001:db8::1]:7443'],
  ['0.0.0.0:0', undefined, `${hostname()}:7000`],
] as const) {
  test(`listening at ${listen}, advertising ${advertise ?? 'nothing'}: reached at ${address}`, () => {
    const config = readRelayConfig({ SIDESTREAM_CONFIG: file(), SIDESTREAM_INSTANCE: 'r' });
    const [host = ''] = listen.split(':');
    assert.equal(advertisedAddress({ ...config, listen: { host, port: 0 }, advertise }, 7000), address);
  });
}
