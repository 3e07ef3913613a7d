// `sidestream config` by its exit codes and its two forms of output.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCli } from './run-cli.js';

const directory = mkdtempSync(join(tmpdir(), 'sidestream-config-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const good = `
nats: { servers: [nats://127.0.0.1:4222] }
regions: { eastus: { recorders: [eastus] } }
tenants:
  contoso:
    accountId: AC0123
    region: eastus
    recording: { identity: { certFile: here, keyFile: here } }
    policy: { source: file, file: here }
trunks:
  pbx: { tenant: contoso, side: seller, targets: [sip:10.0.0.5], routes: [{ to: pbx }] }
signalling: {}
mediaRelay: { rtpengine: { ng: 127.0.0.1:22222 } }
`;

function run(yaml: string, ...args: string[]) {
  const file = join(directory, 'sidestream.yaml');
  writeFileSync(file, yaml);
  writeFileSync(join(directory, 'here'), '');
  return runCli(['config', 'check', '-c', file, ...args], { timeoutMs: 20_000 });
}

test('a right configuration is 0; what somebody should look at is named', async () => {
  const { code, stdout } = await run(good);
  assert.equal(code, 0);
  assert.match(stdout, /^warning: tenants\.contoso\.recording\.notice is none: .*\n.*: no problems, 1 warning\n$/);
});

test('a wrong one is 2, with all its problems, for people and for programs', async () => {
  const wrong = good.replace('region: eastus', 'region: mars').replace('side: seller', 'side: middle');
  const text = await run(wrong);
  assert.equal(text.code, 2);
  assert.match(text.stderr, /2 problems\n.*trunks\.pbx\.side: .*\n.*tenants\.contoso\.region: no region 'mars'/);
  const { code, stdout } = await run(wrong, '--json');
  assert.equal(code, 2);
  const { ok, problems } = JSON.parse(stdout) as { ok: boolean; problems: { path: string }[] };
  assert.equal(ok, false);
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['trunks.pbx.side', 'tenants.contoso.region'],
  );
});

test('the JSON Schema is one document', async () => {
  const { code, stdout } = await runCli(['config', 'schema'], { timeoutMs: 20_000 });
  assert.equal(code, 0);
  assert.equal((JSON.parse(stdout) as { title: string }).title, 'sidestream.yaml');
});
