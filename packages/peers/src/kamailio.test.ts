import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';
import { startKamailio } from './kamailio.js';

const run = promisify(execFile);

/** Kamailio is one process per task, children of the one that was started. */
async function processes(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return [pid, ...children.trim().split(' ').map(Number)];
}

async function gone(pids: readonly number[]): Promise<void> {
  await eventually(() => !pids.some((pid) => existsSync(`/proc/${pid}`)), `${pids.join(', ')} have ended`);
}

/** Processes that work in directories whose names begin so. */
async function workingIn(directory: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const directories = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return pids.filter((_, index) => directories[index]?.startsWith(directory));
}

for (const end of ['stopped', 'killed and stopped'] as const) {
  test(`Kamailio answers, and is gone with all its processes when it is ${end}`, async (t) => {
    const { peer, reason } = await startKamailio();
    if (peer === undefined) return t.skip(reason);
    if (peer.pid === undefined) {
      await peer.stop();
      return t.skip(`Kamailio by ${peer.how}`);
    }
    const pids = await processes(peer.pid);
    const directory = await readlink(`/proc/${peer.pid}/cwd`);
    assert.ok(pids.length > 3, pids.join());
    if (end !== 'stopped') await peer.kill('SIGKILL');
    await peer.stop();
    await gone(pids);
    await eventually(async () => (await workingIn(directory)).length === 0, 'nothing that watched it is left');
  });
}

test('a script that it does not understand is told with its own words', async (t) => {
  const { peer, reason } = await startKamailio();
  if (peer === undefined) return t.skip(reason);
  await peer.stop();
  if (peer.how !== 'binary') return t.skip(`Kamailio by ${peer.how}`);
  await assert.rejects(startKamailio({ script: 'route[WORK] { nonsense }' }), { code: 'not-ready', message: /syntax/ });
});

test('it does not outlive the process that started it, however that ends', async (t) => {
  const { peer, reason } = await startKamailio();
  if (peer === undefined) return t.skip(reason);
  await peer.stop();
  if (peer.how !== 'binary') return t.skip(`Kamailio by ${peer.how}`);
  const kamailio = JSON.stringify(new URL('./kamailio.js', import.meta.url).href);
  for (const end of ['process.exit(0)', "process.kill(process.pid, 'SIGKILL')"]) {
    const script = `
      const { startKamailio } = await import(${kamailio});
      const { readFileSync, readlinkSync } = await import('node:fs');
      const { peer: { pid } } = await startKamailio();
      const children = readFileSync('/proc/' + pid + '/task/' + pid + '/children', 'utf8').trim().split(' ').map(Number);
      const seen = { pids: [pid, ...children], directory: readlinkSync('/proc/' + pid + '/cwd') };
      process.stdout.write(JSON.stringify(seen), () => ${end});`;
    const args = ['--input-type=module', '-e', script];
    const printed = await run(process.execPath, args, { timeout: 20_000 }).then(
      ({ stdout }) => stdout,
      (error: unknown) => {
        assert.ok(error instanceof Error && 'stdout' in error);
        return String(error.stdout);
      },
    );
    const { pids, directory }: { pids: number[]; directory: string } = JSON.parse(printed);
    assert.ok(pids.length > 3, printed);
    await gone(pids);
    assert.match(directory, /sidestream-kamailio-/);
    // Nothing can tidy up after SIGKILL but us.
    if (end === 'process.exit(0)') assert.equal(existsSync(directory), false);
    else await rm(directory, { recursive: true });
  }
});

test('killed with the process that starts it, at any moment of its start, it leaves nothing behind', async (t) => {
  const { peer, reason } = await startKamailio();
  if (peer === undefined) return t.skip(reason);
  await peer.stop();
  if (peer.how !== 'binary') return t.skip(`Kamailio by ${peer.how}`);
  const kamailio = JSON.stringify(new URL('./kamailio.js', import.meta.url).href);
  const script = `const { startKamailio } = await import(${kamailio}); await startKamailio();`;
  for (const moment of [1, 2, 3, 4, 6, 8]) {
    const directory = await mkdtemp(join(tmpdir(), 'sidestream-kamailio-test-'));
    const env = { PATH: '/usr/sbin:/usr/bin:/bin', SIDESTREAM_PEERS: 'binaries', TMPDIR: directory };
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: 'ignore' });
    const ended = once(starter, 'exit');
    let most = 0;
    try {
      await eventually(async () => {
        most = (await workingIn(directory)).length;
        return most >= moment;
      }, `${moment} processes of Kamailio run`);
      starter.kill('SIGKILL');
      await ended;
      await eventually(async () => (await workingIn(directory)).length === 0, `after ${most} all have ended`);
    } finally {
      starter.kill('SIGKILL');
      for (const pid of await workingIn(directory)) process.kill(Number(pid), 'SIGKILL');
      await rm(directory, { recursive: true, force: true });
    }
  }
});
