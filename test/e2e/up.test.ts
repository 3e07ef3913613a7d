// `sidestream up` as an operator meets it: wrong configurations, the ready line, a clean stop.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli } from './run-cli.js';

test('a configuration with three errors prints all three with their paths and exits 2', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-up-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'sidestream.yaml');
  writeFileSync(
    file,
    `nats: { servers: [http://127.0.0.1] }
regions: {}
tenants: {}
trunks: { carrier: { tenant: nobody, side: customer, peers: [127.0.0.2], routes: [{ to: carrier }] } }
signalling: {}
mediaRelay: { rtpengine: { ng: 127.0.0.1:22222 }, portMin: 1 }
`,
  );
  const run = await runCli(['up', '--config', file], { timeoutMs: 20_000 });
  assert.equal(run.code, 2);
  assert.equal(run.stdout, '');
  assert.match(run.stderr, /nats\.servers\.0: must be nats:\/\/host:port/);
  assert.match(run.stderr, /trunks\.carrier\.tenant: no tenant 'nobody'/);
  assert.match(run.stderr, /mediaRelay\.portMin: unknown key/);
});

test('a configuration that is not there is one clear error, exit code 2', async () => {
  const run = await runCli(['up', '--config', '/nonexistent/sidestream.yaml'], { timeoutMs: 20_000 });
  assert.equal(run.code, 2);
  assert.match(run.stderr, /sidestream\.yaml.*\n.*can't be read/);
});

test('an unknown command and a missing option are told, with a hint where help is', async () => {
  for (const args of [['fly'], ['up']]) {
    const run = await runCli(args, { timeoutMs: 20_000 });
    assert.equal(run.code, 1);
    assert.match(run.stderr, /--help/);
  }
});
