// The process as a whole, alone: its edge and NATS are away, and its management port answers those who may ask.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { type AddressInfo, isIPv4 } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAuthority } from '@sidestream/pki';
import { z } from 'zod';

const notReady = z.object({ ready: z.literal(false), addresses: z.object({ management: z.string() }) });
const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && isIPv4(one.address))?.address;

/** A drachtio-server's metrics. @returns host:port */
async function drachtioMetrics(t: TestContext): Promise<string> {
  const server = createServer((_, response) => response.end('drachtio_stable_dialogs 0\n')).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts signalling. @param edge what the environment says of its edge @returns the port of its management */
async function signalling(t: TestContext, edgeMetrics: string, edge: NodeJS.ProcessEnv = {}): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'signalling-'));
  const file = join(directory, 'sidestream.yaml');
  writeFileSync(join(directory, 'secret'), 'hidden');
  const config = {
    nats: { servers: ['nats://127.0.0.1:1'] },
    regions: {},
    tenants: {},
    trunks: {},
    signalling: { edge: 'tcp://127.0.0.1:1', edgeSecretFile: 'secret', edgeMetrics },
    mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
    management: { listen: '0.0.0.0:0', allow: [] },
    log: { level: 'silent' },
  };
  writeFileSync(file, JSON.stringify(config));
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { SIDESTREAM_CONFIG: file, SIDESTREAM_INSTANCE: 'a', ...edge },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(directory, { recursive: true });
  });
  const [line] = await once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(20_000) });
  return Number(new URL(notReady.parse(JSON.parse(String(line))).addresses.management).port);
}

test('drachtio-server’s own metrics are passed on, to this machine alone where nobody else is allowed', async (t) => {
  const port = await signalling(t, await drachtioMetrics(t));
  const signal = AbortSignal.timeout(10_000);
  const page = await fetch(`http://127.0.0.1:${port}/metrics/drachtio`, { signal });
  assert.deepEqual([page.status, await page.text()], [200, 'drachtio_stable_dialogs 0\n']);
  if (outside === undefined) return t.diagnostic('this machine has no address but loopback: nobody is refused');
  const stranger = get({ host: '127.0.0.1', port, path: '/metrics', localAddress: outside, agent: false, signal });
  const [error] = await once(stranger, 'error', { signal });
  assert.match(String(error), /socket hang up|ECONNRESET/);
});

test('the end of the certificate that an external edge shows is among the metrics', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'edge-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const notAfter = new Date('2031-05-06T07:08:09Z');
  const authority = await createAuthority('carriers');
  const { certFile, keyFile } = await (await authority.issue({ commonName: 'edge', notAfter })).writeFiles(directory);
  const shown = { SIDESTREAM_EDGE_CERT_FILE: certFile, SIDESTREAM_EDGE_KEY_FILE: keyFile };
  const port = await signalling(t, '127.0.0.1:1', shown);
  const page = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const [, seconds] = /^sidestream_certificate_expiry_seconds\{use="edge".*\} (\S+)$/m.exec(await page.text()) ?? [];
  assert.equal(Number(seconds) * 1_000, notAfter.getTime());
});
