import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { createLogger } from '../log.js';
import { CollectorHeaders } from './collector-headers.js';

function newFile(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-headers-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'headers');
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger({ name: 'test', instance: 'one', level: 'info', destination });
  const write = (text: string) => {
    // As Kubernetes does it: a new file in the place of the old one.
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  return { file, lines, log, write };
}

test('a file that is written anew is read anew', (t) => {
  const { file, log, write, lines } = newFile(t);
  write('\nAuthorization: Bearer first\nx-tenant:contoso\n');
  const headers = new CollectorHeaders(file, log);
  assert.deepEqual(headers.read(), { Authorization: 'Bearer first', 'x-tenant': 'contoso' });
  write('Authorization: Bearer other');
  assert.deepEqual(headers.read(), { Authorization: 'Bearer other' });
  assert.deepEqual(lines, []);
});

test('a file that has become unusable leaves the last header fields, and is told once without its text', (t) => {
  const { file, log, write, lines } = newFile(t);
  write('Authorization: Bearer first');
  const headers = new CollectorHeaders(file, log);
  write('x: y\nBearer hidden');
  for (let i = 0; i < 3; i += 1) assert.deepEqual(headers.read(), { Authorization: 'Bearer first' });
  rmSync(file);
  assert.deepEqual(headers.read(), { Authorization: 'Bearer first' });
  assert.equal(lines.length, 1, lines.join(''));
  assert.match(lines[0] ?? '', /line 2 is not 'Name: value'/);
  assert.ok(!lines.join('').includes('hidden'));
  write('Authorization: Bearer second');
  assert.deepEqual(headers.read(), { Authorization: 'Bearer second' });
  assert.equal(lines.length, 2);
});

test('at the beginning an unusable file is an error', (t) => {
  const { file, log, write } = newFile(t);
  assert.throws(() => new CollectorHeaders(file, log), /ENOENT/);
  write('Bearer hidden');
  assert.throws(
    () => new CollectorHeaders(file, log),
    new Error("telemetry.traces.headersFile: line 1 is not 'Name: value'"),
  );
});
