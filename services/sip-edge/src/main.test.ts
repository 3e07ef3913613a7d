// sip-edge as a process: its environment, its ready line, its end.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectApp } from './contract/drachtio-app.js';
import { address } from './contract/embedded-edge.js';
import { RawCall } from './contract/raw-call.js';
import { RawPeer } from './contract/raw-peer.js';

const main = fileURLToPath(new URL('./main.js', import.meta.url));

describe('the process', () => {
  let directory = '';
  let config = '';
  let secretFile = '';

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sip-edge-'));
    config = join(directory, 'sidestream.yaml');
    secretFile = join(directory, 'secret');
    for (const file of ['cert.pem', 'key.pem', 'policy.yaml']) writeFileSync(join(directory, file), '');
    writeFileSync(secretFile, 'from-a-file\n');
    writeFileSync(config, yaml('[udp:127.0.0.1:0, tcp:127.0.0.1:0]'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test('says where it listens, serves drachtio-srf, drops strangers, ends with 0 on SIGTERM', async () => {
    const child = start({ SIDESTREAM_CONFIG: config, SIDESTREAM_EDGE_SECRET_FILE: secretFile });
    try {
      const addresses = await ready(child);
      assert.match(addresses['admin'] ?? '', /^tcp:\/\/127\.0\.0\.1:\d+$/);
      const edge = {
        admin: { ...address((addresses['admin'] ?? '').replace('tcp://', '')), secret: 'from-a-file' },
        udp: address(addresses['sip.udp'] ?? ''),
        tcp: address(addresses['sip.tcp'] ?? ''),
        t1: 500,
        stop: async () => undefined,
      };
      const app = await connectApp(edge, (srf) => srf.options((_request, reply) => reply.send(200)));
      const [peer, stranger] = await Promise.all([RawPeer.udp(edge.udp), RawPeer.udp(edge.udp, '127.0.0.9')]);
      new RawCall(stranger).send('OPTIONS');
      new RawCall(peer).send('OPTIONS');
      await peer.response(200);
      assert.equal(stranger.bytesReceived, 0);
      const metrics = await (await fetch(`${addresses['management']}/metrics`)).text();
      assert.match(metrics, /sidestream_edge_refused_total\{[^}]*protocol="udp"[^}]*\} 1/);
      assert.match(metrics, /sidestream_edge_messages_total\{[^}]*method="OPTIONS"[^}]*direction="in"[^}]*\} 1/);
      app.disconnect();
      await Promise.all([peer.close(), stranger.close()]);
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      assert.equal(code, 0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('a wrong configuration: every problem at once, with its path, and 2', async () => {
    const broken = join(directory, 'broken.yaml');
    for (const [listen, paths] of [
      ['[udp:0.0.0.0:0, tls:127.0.0.1:0]', ['signalling.listen.0', 'signalling.listen.1']],
      ['[udp:127.0.0.1:0]', ['signalling.edgeSecretFile']],
    ] as const) {
      writeFileSync(broken, yaml(listen));
      const child = start({ SIDESTREAM_CONFIG: broken });
      let errors = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        errors += chunk.toString('utf8');
      });
      const [code] = await once(child, 'close');
      assert.equal(code, 2);
      for (const path of paths) assert.ok(errors.includes(path), `${path} in ${errors}`);
    }
  });
});

function start(environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [main], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ready(child: ChildProcess): Promise<Record<string, string>> {
  assert.ok(child.stdout);
  for await (const line of createInterface({ input: child.stdout })) {
    const said: { ready: boolean; addresses: Record<string, string> } = JSON.parse(line);
    if (said.ready) return said.addresses;
  }
  throw new Error('ended without being ready');
}

function yaml(listen: string): string {
  return `
nats: { servers: [nats://127.0.0.1:4222] }
regions: { local: { recorders: [eastus] } }
tenants:
  contoso:
    accountId: AC1
    region: local
    recording: { identity: { certFile: cert.pem, keyFile: key.pem } }
    policy: { source: file, file: policy.yaml }
trunks:
  carrier: { tenant: contoso, side: customer, peers: [127.0.0.1/32], routes: [{ to: pbx }] }
  pbx: { tenant: contoso, side: seller, targets: [sip:127.0.0.1:5080], routes: [{ to: pbx }] }
signalling: { listen: ${listen} }
mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } }
`;
}
