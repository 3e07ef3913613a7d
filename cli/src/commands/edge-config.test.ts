import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { edgeConfig } from './edge-config.js';

const out = mkdtempSync(join(tmpdir(), 'sidestream-edge-'));
after(() => rmSync(out, { recursive: true, force: true }));

const usual = { out, port: 5060, transports: ['udp', 'tcp'], adminPort: 9022, addresses: [] };
const written = (name: string) => readFileSync(join(out, name), 'utf8');

test('without more it is the address bound, and the secret is new at each start', async () => {
  assert.equal(await edgeConfig({ ...usual, bind: '10.0.0.7' }), 0);
  const secret = written('edge-secret');
  assert.match(secret, /^[0-9a-f]{64}$/);
  assert.match(written('drachtio.conf.xml'), new RegExp(`<admin port="9022" secret="${secret}">127.0.0.1</admin>`));
  assert.match(written('drachtio.conf.xml'), /<contact>sip:10\.0\.0\.7:5060;transport=udp,tcp<\/contact>/);
  assert.equal(await edgeConfig({ ...usual, bind: '10.0.0.7' }), 0);
  assert.notEqual(written('edge-secret'), secret);
});

test('of several addresses an instance has that of its number, before any other', async () => {
  const addresses = ['203.0.113.10', '203.0.113.11'];
  const instance = 'prod-eastus-signalling-1';
  assert.equal(await edgeConfig({ ...usual, bind: 'fd00::7', addresses, instance, advertise: '192.0.2.1' }), 0);
  const contact = '<contact external-ip="203.0.113.11">sip:[fd00::7]:5060;transport=udp,tcp</contact>';
  assert.ok(written('drachtio.conf.xml').includes(contact));
});

test('TLS has a port of its own', async () => {
  const tls = { tlsPort: 5061, tlsCert: join(usual.out, 'from.crt'), tlsKey: join(usual.out, 'from.key') };
  writeFileSync(tls.tlsCert, 'leaf and intermediate');
  writeFileSync(tls.tlsKey, 'key');
  assert.equal(await edgeConfig({ ...usual, ...tls, bind: '10.0.0.7', advertise: '192.0.2.1' }), 0);
  const xml = written('drachtio.conf.xml');
  assert.match(xml, /<contact external-ip="192\.0\.2\.1">sip:10\.0\.0\.7:5061;transport=tls<\/contact>/);
  const [, key = '', cert = '', chain] =
    /<key-file>(.*)<\/key-file>\s*<cert-file>(.*)<\/cert-file>\s*<chain-file>(.*)<\/chain-file>/.exec(xml) ?? [];
  assert.deepEqual([readFileSync(key, 'utf8'), readFileSync(cert, 'utf8')], ['key', 'leaf and intermediate']);
  assert.equal(chain, cert, 'without a chain the server ends');
  assert.equal(await edgeConfig({ ...usual, ...tls, tlsKey: '/nowhere', bind: '10.0.0.7' }), 1);
  // Peers that are configured for TLS would find nobody there.
  assert.equal(await edgeConfig({ ...usual, bind: '10.0.0.7', tlsPort: 5061 }), 2);
});

test("the server's own metrics have a port where one is named, on loopback", async () => {
  assert.equal(await edgeConfig({ ...usual, bind: '10.0.0.7' }), 0);
  assert.ok(!written('drachtio.conf.xml').includes('monitoring'));
  assert.equal(await edgeConfig({ ...usual, bind: '10.0.0.7', metricsPort: 9023 }), 0);
  const xml = written('drachtio.conf.xml');
  assert.ok(xml.includes('<monitoring>\n    <prometheus port="9023">127.0.0.1</prometheus>\n  </monitoring>'), xml);
});

test('an instance without an address that peers could reach does not start', async () => {
  const addresses = ['203.0.113.10'];
  assert.equal(await edgeConfig({ ...usual, bind: '10.0.0.7', addresses, instance: 'signalling-1' }), 1);
  assert.equal(await edgeConfig({ ...usual, bind: '10.0.0.7', addresses, instance: 'signalling' }), 1);
  assert.equal(await edgeConfig({ ...usual, bind: '' }), 1);
});
