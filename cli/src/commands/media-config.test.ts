import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mediaConfig } from './media-config.js';

test('rtpengine is told where it listens, and the address to tell where that is another', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-media-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const nodeAddresses = join(folder, 'nodes.yaml');
  writeFileSync(nodeAddresses, 'node-1: 203.0.113.1\n');
  const out = join(folder, 'out');
  const written = () => readFileSync(join(out, 'rtpengine.conf'), 'utf8');
  assert.equal(await mediaConfig({ out, bind: '10.0.0.7', nodeAddresses, node: 'node-2' }), 1);
  assert.ok(!existsSync(out));
  assert.equal(await mediaConfig({ out, bind: '10.0.0.7', nodeAddresses, node: 'node-1' }), 0);
  assert.equal(written(), '[rtpengine]\ninterface=10.0.0.7!203.0.113.1\n');
  assert.equal(await mediaConfig({ out, bind: 'fd00::7' }), 0);
  assert.equal(written(), '[rtpengine]\ninterface=fd00::7\n');
});
