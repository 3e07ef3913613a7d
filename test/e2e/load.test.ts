// An independent SIP peer on both sides, many calls: none fails, none is left, each is recorded.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { customerHost, listedSeller, sellerHost } from '@sidestream/cli';
import { eventually, freeTcpPort, freeUdpPort, runSipp, type SippResult, sippMissing } from '@sidestream/peers';
import { Stage } from './stage.js';

const calls = 200;
const callsPerSecond = 20;
const holdMs = 1_000;

/** Runs sipp to its end, or to the end of the test. */
function sipp(t: TestContext, args: readonly string[]): Promise<SippResult> {
  const over = new AbortController();
  t.after(() => over.abort());
  return runSipp([...args, '-m', String(calls), '-timeout', '60s', '-timeout_error'], over.signal);
}

for (const protocol of ['udp', 'tcp'] as const) {
  test(`${calls} recorded sipp calls at ${callsPerSecond} a second over ${protocol}: no failure, no orphan`, async (t) => {
    const missing = sippMissing();
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
