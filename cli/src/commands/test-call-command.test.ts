// Which configuration `sidestream test-call` reads, and which files of it must be there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'sidestream-test-call-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'sidestream.yaml');
const gone = { certFile: 'gone.crt', keyFile: 'gone.key' };
writeFileSync(
  file,
  JSON.stringify({
    nats: { servers: ['nats://127.0.0.1:1'] },
    regions: { eastus: { recorders: ['eastus'] } },
    tenants: {
      contoso: {
        accountId: 'AC0123',
        region: 'eastus',
        recording: { notice: 'contract', identity: gone },
        policy: { source: 'file', file: 'gone.yaml' },
      },
    },
    trunks: {},
    signalling: {},
    mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
  }),
);

/** Calls where nobody is. */
function testCall(args: readonly string[], environment: NodeJS.ProcessEnv) {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, 'test-call', 'sip:100@127.0.0.1:1;transport=tcp', '--listen=127.0.0.1', ...args],
    { env: environment, encoding: 'utf8', timeout: 60_000 },
  );
  return { status, told: `${stdout}${stderr}` };
}

test('it reads the file that SIDESTREAM_CONFIG names, and wants no tenant’s key', () => {
  for (const { status, told } of [testCall([], { SIDESTREAM_CONFIG: file }), testCall(['-c', file], {})]) {
    assert.equal(status, 1, told);
    assert.match(told, /FAULT .*ECONNREFUSED/);
  }
  assert.match(testCall([], {}).told, /--recorder-status or --config is needed/);
});

test('beside a recorder to ask, the file of an image needn’t be there; one that is asked for must', () => {
  const recorder = '--recorder-status=http://127.0.0.1:1';
  const nowhere = join(folder, 'nowhere.yaml');
  assert.match(testCall([recorder], { SIDESTREAM_CONFIG: nowhere }).told, /FAULT .*ECONNREFUSED/);
  assert.equal(testCall([recorder, '-c', nowhere], {}).status, 2);
});
