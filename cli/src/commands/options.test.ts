import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freeTcpPort } from '@sidestream/peers';
import { Transports, UserAgent } from '@sidestream/sip';
import { options } from './options.js';

const host = '127.0.0.1';
const timeoutMs = 10_000;
const transports = new Transports();
let uris: string[];

before(async () => {
  const udp = await transports.listen({ protocol: 'udp', host, port: 0 });
  const tcp = await transports.listen({ protocol: 'tcp', host, port: 0 });
  uris = [`sip:${host}:${udp.port}`, `sip:localhost:${tcp.port};transport=tcp`];
  new UserAgent({ transports });
});
after(() => transports.close());

test('a server that is there answers, over UDP and TCP, by address and by name', async () => {
  for (const uri of uris) assert.equal(await options(uri, { accept: [200], timeoutMs }), 0, uri);
});

test('an answer that is not accepted, and none, are no success', async () => {
  assert.equal(await options(uris[0] ?? '', { accept: [403], timeoutMs }), 1);
  const nobody = `sip:${host}:${await freeTcpPort(host)};transport=tcp`;
  assert.equal(await options(nobody, { accept: [200], timeoutMs }), 1);
});

test('what would be asked in clear though the URI means TLS is not asked', async () => {
  for (const uri of [`${uris[0]};transport=tls`, (uris[0] ?? '').replace('sip:', 'sips:')])
    assert.equal(await options(uri, { accept: [200], timeoutMs }), 2, uri);
});
