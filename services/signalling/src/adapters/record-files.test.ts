import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CallRecord } from '@sidestream/proto/records/v1';
import { createLogger } from '@sidestream/service';
import { Registry } from 'prom-client';
import { RecordFiles } from './record-files.js';

function record(callId: string): CallRecord {
  return CallRecord.fromJSON({ version: 1, callId, tenant: 'contoso' });
}

function stage(t: TestContext, over: { maxFiles?: number; maxBytes?: number; within?: string } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'sidestream-records-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, over.within ?? 'records');
  const metrics = new Registry();
  const logs: string[] = [];
  const log = createLogger({
    name: 'test',
    instance: 's1',
    level: 'info',
    destination: { write: (line: string) => void logs.push(line) },
  });
  const options = { directory, maxFiles: over.maxFiles ?? 3, maxBytes: over.maxBytes ?? 1_000_000 };
  return { root, directory, metrics, logs, files: new RecordFiles(options, { instance: 's1', log, metrics }) };
}

test('one JSON line a call, in the order of their ends, for the owner alone', async (t) => {
  const { directory, files } = stage(t);
  for (const id of ['a', 'b', 'c']) files.write(record(id));
  await files.close(10_000);
  const file = join(directory, 'calls.s1.jsonl');
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  assert.deepEqual(
    lines.map((line) => CallRecord.fromJSON(JSON.parse(line)).callId),
    ['a', 'b', 'c'],
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('files rotate by size, and the oldest goes', async (t) => {
  const { directory, files } = stage(t, { maxFiles: 2, maxBytes: 60 });
  for (const id of ['a', 'b', 'c', 'd']) files.write(record(id));
  await files.close(10_000);
  assert.deepEqual(readdirSync(directory).sort(), ['calls.s1.jsonl', 'calls.s1.jsonl.1']);
  assert.match(readFileSync(join(directory, 'calls.s1.jsonl'), 'utf8'), /"callId":"d"/);
  assert.match(readFileSync(join(directory, 'calls.s1.jsonl.1'), 'utf8'), /"callId":"c"/);
});

test('what cannot be written is counted and told once; when it can be again, it is written', async (t) => {
  const { root, directory, files, metrics, logs } = stage(t);
  writeFileSync(directory, 'a file where the directory should be');
  files.write(record('a'));
  files.write(record('b'));
  await files.close(10_000);
  const lost = await metrics.getSingleMetric('sidestream_call_record_lines_lost_total')?.get();
  assert.equal(lost?.values[0]?.value, 2);
  assert.equal(logs.filter((line) => line.includes('cannot be written')).length, 1);
  rmSync(directory);
  files.write(record('c'));
  await files.close(10_000);
  assert.match(readFileSync(join(root, 'records', 'calls.s1.jsonl'), 'utf8'), /"callId":"c"/);
});
