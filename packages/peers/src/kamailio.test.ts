import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
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

test('Kamailio answers, and is gone with all its processes after stop', async (t) => {
  const { peer, reason } = await startKamailio();
  if (peer === undefined) return t.skip(reason);
  if (peer.pid === undefined) {
    await peer.stop();
    return t.skip(`Kamailio by ${peer.how}`);
  }
  const pids = await processes(peer.pid);
  assert.ok(pids.length > 3, pids.join());
  await peer.stop();
  await gone(pids);
});

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
