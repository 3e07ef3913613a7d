// gRPC and events go on being understood by the release before: buf compares proto/ with what that one had.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const released = join(root, 'test', 'contract', '0.1');

function breaking(proto: string): { status: number | null; said: string } {
  const args = ['breaking', proto, '--against', released];
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules', '.bin', 'buf'), args, {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, said: stdout + stderr };
}

test('what goes between services is understood by the release before', () => {
  const { status, said } = breaking(join(root, 'proto'));
  assert.equal(status, 0, said);
});

test('a field that is lost, or changes its number, is found', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-contract-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  cpSync(join(root, 'proto', 'sidestream'), join(directory, 'sidestream'), { recursive: true });
  cpSync(join(root, 'proto', 'buf.yaml'), join(directory, 'buf.yaml'));
  const file = join(directory, 'sidestream', 'media', 'v1', 'media.proto');
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(/string session_id = 1;/, 'string session_id = 101;');
  assert.notEqual(changed, text);
  writeFileSync(file, changed);
  const { status, said } = breaking(directory);
  assert.notEqual(status, 0);
  assert.match(said, /media\.proto:\d+:\d+:.*field "1"/i);
});
