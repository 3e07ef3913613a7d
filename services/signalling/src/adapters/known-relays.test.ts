import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLogger } from '@sidestream/service';
import type { RelayLease } from '../domain/relay-choice.js';
import { KnownRelays } from './known-relays.js';

const relay = (address: string, sessions = 0): RelayLease => ({
  address,
  region: 'eastus',
  sessions,
  capacity: 100,
  draining: false,
});

function ground(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-relays-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'state', 'relays.json');
  const lines: string[] = [];
  const log = createLogger({
    name: 'test',
    instance: 't',
    level: 'info',
    destination: { write: (line) => lines.push(line) },
  });
  /** A process that starts; `read` is a poll of NATS that is answered. */
  const process = async () => {
    const leases = new Map<string, RelayLease>();
    const listeners: (() => void)[] = [];
    const known = new KnownRelays({
      book: { current: leases, onRefresh: (listener) => listeners.push(listener) },
      file,
      log,
    });
    await known.start();
    const read = async (...relays: RelayLease[]) => {
      leases.clear();
      for (const one of relays) leases.set(one.address, one);
      for (const listener of listeners) listener();
      await known.whenKept();
    };
    return { known, read };
  };
  return { file, lines, process };
}

test('a start without NATS has the relays known last, empty as far as it knows, until the leases are read', async (t) => {
  const { process } = ground(t);
  const before = await process();
  assert.deepEqual([...before.known.values()], []);
  await before.read(relay('10.0.0.2:9102', 70), relay('10.0.0.1:9102', 3));
  assert.deepEqual(
    [...before.known.values()].map(({ sessions }) => sessions),
    [70, 3],
  );

  const after = await process();
  assert.deepEqual([...after.known.values()], [relay('10.0.0.1:9102'), relay('10.0.0.2:9102')]);
  await after.read();
  assert.deepEqual([...after.known.values()], [], 'the leases count, and there are none');
  assert.equal([...(await process()).known.values()].length, 2, 'with none a start could do nothing');
});

test('it is written when relays come and go, not with every call of theirs', async (t) => {
  const { file, process } = ground(t);
  const { read } = await process();
  await read(relay('10.0.0.1:9102'));
  writeFileSync(file, 'touched');
  await read(relay('10.0.0.1:9102', 5));
  assert.equal(readFileSync(file, 'utf8'), 'touched');
  await read(relay('10.0.0.1:9102', 5), relay('10.0.0.3:9102'));
  assert.match(readFileSync(file, 'utf8'), /10\.0\.0\.3/);
});

test('a damaged file, or a folder where it can not be, is said, and nothing else is lost', async (t) => {
  const { file, lines, process } = ground(t);
  const { read } = await process();
  await read(relay('10.0.0.1:9102'));
  writeFileSync(file, '{"no": "list"}');
  const damaged = await process();
  assert.deepEqual([...damaged.known.values()], []);
  assert.match(lines.join(''), /relays known last can not be read/);
  rmSync(join(file, '..'), { recursive: true });
  writeFileSync(join(file, '..'), 'a file');
  await damaged.read(relay('10.0.0.1:9102'));
  assert.deepEqual([...damaged.known.values()].length, 1);
  assert.match(lines.join(''), /relays that are known can not be kept/);
});
