// An independent SIP peer on both sides, many calls: none fails, none is left, each is recorded.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { customerHost, eventually, listedSeller, sellerHost } from '@sidestream/cli';
import { freeTcpPort, freeUdpPort, peersRequired } from '@sidestream/simulators';
import { Stage } from './stage.js';

const calls = 200;
const callsPerSecond = 20;
const holdMs = 1_000;

interface SippRun {
  readonly code: number | null;
  readonly output: string;
}

/** Runs sipp to its end, in a directory of its own for what it writes. */
async function sipp(t: TestContext, args: readonly string[]): Promise<SippRun> {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-sipp-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const control = await freeUdpPort('127.0.0.1');
  const bounds = ['-m', String(calls), '-timeout', '60s', '-timeout_error', '-nostdin', '-cp', String(control)];
  const child = spawn('sipp', [...args, ...bounds], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      output = (output + text).slice(-8_000);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

async function sippMissing(): Promise<string | undefined> {
  const missing = await new Promise<boolean>((resolve) => {
    const child = spawn('sipp', ['-v'], { stdio: 'ignore' });
    child.once('error', () => resolve(true));
    child.once('close', () => resolve(false));
  });
  if (!missing) return undefined;
  assert.ok(!peersRequired(), 'sipp is not installed');
  return 'sipp is not installed';
}

for (const protocol of ['udp', 'tcp'] as const) {
  test(`${calls} recorded sipp calls at ${callsPerSecond} a second over ${protocol}: no failure, no orphan`, async (t) => {
    const missing = await sippMissing();
    if (missing !== undefined) return t.skip(missing);
    const transport = protocol === 'udp' ? 'u1' : 't1';
    const free = protocol === 'udp' ? freeUdpPort : freeTcpPort;
    const port = { customer: await free(customerHost), seller: await free(sellerHost) };
    const stage = await Stage.start(t, {
      sellerTarget: `${sellerHost}:${port.seller};transport=${protocol}`,
    });
    if (!stage) return;
    const { laboratory } = stage;
    const answering = sipp(t, ['-sn', 'uas', '-i', sellerHost, '-p', String(port.seller), '-t', transport]);
    const placing = sipp(t, [
      ...['-sn', 'uac', laboratory.sipAddress(protocol), '-s', listedSeller.number],
      ...['-i', customerHost, '-p', String(port.customer), '-t', transport],
      ...['-r', String(callsPerSecond), '-d', String(holdMs)],
    ]);
    const [uac, uas] = await Promise.all([placing, answering]);
    assert.equal(uac.code, 0, uac.output);
    assert.equal(uas.code, 0, uas.output);

    const ended = () => laboratory.bodies('callEnded').length;
    await eventually(() => ended() === calls, 'every call has ended', 15_000).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${ended()} of ${laboratory.bodies('callStarted').length}`);
    });
    const reasons = new Set(laboratory.bodies('callEnded').map(({ termination }) => termination?.reason));
    assert.deepEqual([...reasons], ['hangup']);
    await eventually(() => laboratory.bodies('recordingEnded').length === calls, 'every recording has ended', 15_000);
    assert.equal(laboratory.recorder.sessions.length, calls);
    const findings = laboratory.recorder.sessions.flatMap((session) => session.findings);
    assert.deepEqual(findings, []);
    await stage.nothingIsLeft();
    return;
  });
}
