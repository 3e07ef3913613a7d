// An edge that runs by itself, found by what `sidestream edge-config` wrote of it, as a drachtio-server beside signalling is.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { customerHost, Laboratory, ServiceProcess, sellerHost } from '@sidestream/cli';
import { runCli } from './run-cli.js';
import { Stage } from './stage.js';

const timeoutMs = 60_000;

test('calls come in by an edge that was started with what edge-config wrote', async (t) => {
  const edge = mkdtempSync(join(tmpdir(), 'sidestream-edge-'));
  t.after(() => rmSync(edge, { recursive: true, force: true }));
  const { code, stderr } = await runCli(['edge-config', '--out', edge, '--bind', '127.0.0.1'], { timeoutMs });
  assert.equal(code, 0, stderr);
  // No drachtio-server is needed to see that the folder is understood: sip-edge takes the same secret.
  const surroundings = await Laboratory.start({
    customerTarget: `${customerHost}:5060`,
    sellerTarget: `${sellerHost}:5060`,
    nats: false,
    rtpengine: false,
    recorder: false,
    services: false,
  });
  t.after(() => surroundings.stop());
  const environment = {
    SIDESTREAM_CONFIG: surroundings.configFile,
    SIDESTREAM_EDGE_SECRET_FILE: join(edge, 'edge-secret'),
  };
  const server = new ServiceProcess({ name: 'sip-edge', environment, onLog: () => undefined });
  t.after(() => server.stop(timeoutMs));
  const { addresses } = await server.ready(timeoutMs);
  const places = { admin: addresses['admin'], sip: addresses['sip.udp'] };
  const bare = Object.entries(places).map(([key, text = '']) => [key, text.replace(/^\w+:(\/\/)?/, '')]);
  writeFileSync(join(edge, 'edge.json'), JSON.stringify(Object.fromEntries(bare)));

  const stage = await Stage.start(t, { edge });
  if (!stage) return;
  assert.ok(!stage.laboratory.deployment.services.has('sip-edge'));
  const call = await stage.inbound();
  await stage.talk(call, 50);
  await call.customer.hangUp();
  await stage.nothingIsLeft();
  assert.equal(stage.laboratory.recorder.sessions.length, 1);
});
