import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigError } from '@sidestream/service';
import { readRelayConfig } from './config.js';

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

test('rtpengine’s metrics are where the environment says, else the file; what is no address is told', () => {
  const SIDESTREAM_CONFIG = file({ rtpengine: { ng: '127.0.0.1:22222', http: '127.0.0.1:1' } });
  assert.equal(readRelayConfig({ SIDESTREAM_CONFIG }).engineHttp, '127.0.0.1:1');
  assert.equal(
    readRelayConfig({ SIDESTREAM_CONFIG, SIDESTREAM_ENGINE_METRICS: '127.0.0.1:2' }).engineHttp,
    '127.0.0.1:2',
  );
  assert.throws(() => readRelayConfig({ SIDESTREAM_CONFIG, SIDESTREAM_ENGINE_METRICS: '9023' }), {
    name: 'ConfigError',
    message: /SIDESTREAM_ENGINE_METRICS: '9023' is not host:port/,
  });
});

test('forks are looked at every 2 s; the silence of a recorder counts after 25 s, never under 15 s, or not at all', () => {
  const read = (forks: object) => readRelayConfig({ SIDESTREAM_CONFIG: file({ forks }) }).forks;
  assert.deepEqual(read({}), { lookEvery: 2_000, stalledAfter: 3_000, recorderSilentAfter: 25_000 });
  assert.equal(read({ recorderSilentAfter: '15s' }).recorderSilentAfter, 15_000);
  assert.equal(read({ recorderSilentAfter: 'off' }).recorderSilentAfter, undefined);
  assert.throws(() => read({ recorderSilentAfter: '14s' }), { name: 'ConfigError', message: /recorderSilentAfter/ });
});
