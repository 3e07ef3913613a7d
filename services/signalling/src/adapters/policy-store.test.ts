import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PolicyPointer } from '@sidestream/policy';
import { testLog } from '../testing/test-log.js';
import { testPolicy } from '../testing/test-policy.js';
import { PolicyStore } from './policy-store.js';

const [one, two] = [testPolicy(['+15550001']), testPolicy(['+15550002'])];
const snapshotOf = ({ sha256 }: PolicyPointer) => `${sha256}.snapshot`;

function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-store-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const directory = join(folder, 'state', 'policies');
  const { log, lines } = testLog();
  const open = () => {
    const store = new PolicyStore(directory, log);
    const read = () => store.read('contoso', () => ({}), AbortSignal.timeout(10_000));
    return { store, read };
  };
  return { directory, at: (name: string) => join(directory, 'contoso', name), lines, open };
}

test('a policy is kept for the next start, readable by its owner alone; the newest replaces the one before', async (t) => {
  const { directory, at, lines, open } = stage(t);
  const { store, read } = open();
  assert.equal(await read(), undefined);
  store.keep('contoso', one);
  store.keep('contoso', two);
  store.keep('fabrikam', one);
  await store.flushed();
  const kept = await open().read();
  assert.deepEqual(kept?.pointer, two.pointer);
  assert.deepEqual(kept?.snapshot.bytes, two.bytes);
  assert.deepEqual(readdirSync(at('')).sort(), [snapshotOf(two.pointer), 'pointer.json'].sort());
  for (const name of readdirSync(at(''))) assert.equal(statSync(at(name)).mode & 0o777, 0o600);
  for (const name of ['', 'contoso']) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o700);
  assert.deepEqual(lines, []);
});

test('a policy that is only confirmed again has its pointer written anew, not its snapshot', async (t) => {
  const { at, open } = stage(t);
  const first = open().store;
  first.keep('contoso', one);
  await first.flushed();
  const before = statSync(at(snapshotOf(one.pointer)));
  const { store, read } = open();
  await read();
  const pointer = { ...one.pointer, checkedAt: '2027-01-01T00:00:00.000Z' };
  store.keep('contoso', { ...one, pointer });
  await store.flushed();
  assert.deepEqual(JSON.parse(readFileSync(at('pointer.json'), 'utf8')), pointer);
  assert.equal(statSync(at(snapshotOf(one.pointer))).ino, before.ino);
});

test('what is damaged on disk is refused with one clear error, and is written anew', async (t) => {
  const damages: [damage: string, at: (name: string) => void, message: RegExp][] = [];
  const { at, lines, open } = stage(t);
  const snapshot = at(snapshotOf(one.pointer));
  const pointer = at('pointer.json');
  const change = (fields: object) => writeFileSync(pointer, JSON.stringify({ ...one.pointer, ...fields }));
  damages.push(
    ['a flipped bit', () => writeFileSync(snapshot, one.bytes.with(-1, (one.bytes.at(-1) ?? 0) ^ 1)), /SHA-256/],
    ['a truncated snapshot', () => writeFileSync(snapshot, one.bytes.subarray(1)), /bytes instead of/],
    ['a snapshot with more at its end', () => appendFileSync(snapshot, 'x'), /bytes instead of/],
    ['no snapshot', () => unlinkSync(snapshot), /no such file/],
    ['no JSON', () => writeFileSync(pointer, '{"version"'), /no pointer to a policy/],
    ['another format', () => change({ version: 2 }), /no pointer to a policy/],
    ['a path as its hash', () => change({ sha256: '../../../../etc/passwd' }), /no pointer to a policy/],
    ['another revision', () => change({ revision: 'x' }), /revision/],
    ['more memory than there is', () => change({ bytes: 1024 * 1024 * 1024 }), /bytes instead of/],
    ['an endless pointer', () => writeFileSync(pointer, ' '.repeat(100_000)), /no pointer to a policy/],
  );
  for (const [damage, apply, message] of damages) {
    const good = open().store;
    good.keep('contoso', one);
    await good.flushed();
    apply(at('.'));
    lines.splice(0);
    const { store, read } = open();
    assert.equal(await read(), undefined, damage);
    assert.deepEqual([lines.length, lines[0]?.level], [1, 'error'], damage);
    assert.match(lines[0]?.err?.message ?? '', message, damage);
    store.keep('contoso', one);
    await store.flushed();
    assert.deepEqual((await open().read())?.snapshot.bytes, one.bytes, damage);
  }
});

test('a directory that takes nothing is one warning, and nothing half written stays behind', async (t) => {
  const { directory, at, lines, open } = stage(t);
  const { store } = open();
  // Where the pointer should go there is something that it can not replace.
  mkdirSync(at('pointer.json'), { recursive: true });
  for (const policy of [one, two, one]) {
    store.keep('contoso', policy);
    await store.flushed();
  }
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn'],
  );
  assert.match(lines[0]?.msg ?? '', /not kept on disk/);
  assert.deepEqual(
    readdirSync(at('')).filter((name) => name.endsWith('.tmp')),
    [],
  );
  rmSync(directory, { recursive: true });
  store.keep('contoso', two);
  await store.flushed();
  assert.equal(lines.length, 2);
  assert.match(lines[1]?.msg ?? '', /kept on disk again/);
  assert.deepEqual((await open().read())?.pointer, two.pointer);
});

test('what a writer that died has left is removed, what another one writes now is not', async (t) => {
  const { at, open } = stage(t);
  const { store } = open();
  mkdirSync(at(''), { recursive: true });
  for (const name of ['old.tmp', 'new.tmp']) writeFileSync(at(name), 'half');
  utimesSync(at('old.tmp'), new Date(0), new Date(0));
  store.keep('contoso', one);
  await store.flushed();
  assert.deepEqual(readdirSync(at('')).sort(), ['new.tmp', 'pointer.json', snapshotOf(one.pointer)].sort());
});
