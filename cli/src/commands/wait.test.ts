// A pod for operators: `sidestream wait` holds it, and commands know the configuration without being told.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freeTcpPort } from '@sidestream/peers';

const main = fileURLToPath(new URL('../main.js', import.meta.url));
const deadlineMs = 60_000;

test('it answers probes until SIGTERM, and ends with 0', async (t) => {
  const port = await freeTcpPort();
  const child = spawn(process.execPath, [main, 'wait', '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const closed = once(child, 'close', { signal: AbortSignal.timeout(deadlineMs) });
  const [line] = await once(createInterface({ input: child.stdout }), 'line', {
    signal: AbortSignal.timeout(deadlineMs),
  });
  assert.equal(line, `{"ready":true,"addresses":{"management":":${port}"}}`);
  const ask = async (path: string) => {
    const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(deadlineMs) });
    return status;
  };
  assert.deepEqual([await ask('/livez'), await ask('/calls')], [200, 404]);
  child.kill('SIGTERM');
  assert.deepEqual(await closed, [0, null]);
});

test('commands read the file that SIDESTREAM_CONFIG names, and those that ask services want no tenant’s key', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-wait-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'sidestream.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      // Nobody is there.
      nats: { servers: ['nats://127.0.0.1:1'] },
      regions: { eastus: { recorders: ['eastus'] } },
      tenants: {
        contoso: {
          accountId: 'AC0123',
          region: 'eastus',
          recording: { notice: 'contract', identity: { certFile: 'gone.crt', keyFile: 'gone.key' } },
          policy: { source: 'file', file: 'gone.yaml' },
        },
      },
      trunks: {
        carrier: {
          tenant: 'contoso',
          side: 'customer',
          peers: ['192.0.2.1'],
          targets: ['sip:192.0.2.1'],
          routes: [{ to: 'pbx' }],
        },
        pbx: { tenant: 'contoso', side: 'seller', targets: ['sip:192.0.2.2'], routes: [{ to: 'carrier' }] },
      },
      signalling: {},
      mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
    }),
  );
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      env: { SIDESTREAM_CONFIG: file },
      encoding: 'utf8',
      timeout: deadlineMs,
    });
    return { status, told: `${stdout}${stderr}` };
  };
  const listed = run('calls', 'list');
  assert.equal(listed.status, 1, listed.told);
  assert.match(listed.told, /NATS at nats:\/\/127\.0\.0\.1:1 doesn't answer/);
  assert.equal(run('route', 'explain', '--trunk', 'carrier', '--called', '+12025550199').status, 0);
  const checked = run('config', 'check');
  assert.equal(checked.status, 2, checked.told);
  assert.match(checked.told, /no readable file 'gone\.key'/);
});
