// A thousand calls through every scenario: once the timers of RFC 3261 have run out, nothing of them is left anywhere.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { customerHost, listedSeller, sellerHost } from '@sidestream/cli';
import { eventually, freeUdpPort, runSipp, type SippResult, sippListens, sippMissing } from '@sidestream/peers';
import { Stage } from '../e2e/stage.js';
import { DeploymentWatch, leftovers } from './deployment-watch.js';

/** Scenario of the caller, and the number that it calls; the called party does what the number says. */
const scenarios = {
  answered: listedSeller.number,
  reinvited: listedSeller.number,
  busy: '+493012345003',
  cancelled: '+493012345004',
  refused: '+493012345005',
};
const callsEach = 200;
const callsPerSecondEach = 8;
const placingMs = (callsEach / callsPerSecondEach) * 1_000;
/** 64*T1 after the last call, and what a busy machine takes. */
const timersRunOutMs = 60_000;
/** Timers of our processes come and go without calls, too: keep-alives, leases, measurements. */
const timersOfNoCall = 10;

function scenario(name: string): string {
  return fileURLToPath(new URL(`../../chaos/scenarios/${name}.xml`, import.meta.url));
}

/** Runs a scenario of sipp to its end, or to the end of the test. */
function sipp(t: TestContext, name: string, calls: number, args: readonly string[]): Promise<SippResult> {
  const over = new AbortController();
  t.after(() => over.abort());
  const bounds = ['-m', String(calls), '-timeout', `${placingMs / 1_000 + 40}s`, '-timeout_error'];
  return runSipp(['-sf', scenario(name), '-t', 'u1', ...bounds, ...args], over.signal);
}

test('a thousand calls, answered, re-INVITEd, busy, cancelled and refused, leave nothing', async (t) => {
  const missing = sippMissing();
  if (missing !== undefined) return t.skip(missing);
  const sellerPort = await freeUdpPort(sellerHost);
  const watch = new DeploymentWatch();
  t.after(() => watch.close());
  const stage = await Stage.start(t, {
    sellerTarget: `${sellerHost}:${sellerPort}`,
    configure: (config) => {
      // What a busy machine makes of so many calls at once is not the question here.
      config.signalling = { ...config.signalling, maxLagMs: 10_000 };
      const { pbx } = config.trunks;
      if (pbx) pbx.destinations = { deny: [scenarios.refused] };
      config.log = { level: 'warn' };
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  const place = async (name: keyof typeof scenarios, calls: number) =>
    sipp(t, name, calls, [
      ...['-i', customerHost, '-p', String(await freeUdpPort(customerHost)), '-s', scenarios[name]],
      ...['-r', String(callsPerSecondEach), laboratory.sipAddress('udp')],
    ]);
  const names = Object.keys(scenarios) as (keyof typeof scenarios)[];
  const run = async (each: number) => {
    // A refused call never reaches the called party.
    const answering = sipp(t, 'called', each * (names.length - 1), ['-i', sellerHost, '-p', String(sellerPort)]);
    await sippListens('udp', sellerPort).catch(() => undefined);
    const placed = await Promise.all(names.map(async (name) => ({ name, ...(await place(name, each)) })));
    for (const { name, code, output } of placed) assert.equal(code, 0, `${name}: ${output}`);
    const { code, output } = await answering;
    assert.equal(code, 0, `called: ${output}`);
  };
  const nothingLeft = async () => {
    const sum = async () => Object.values(await leftovers(laboratory)).reduce((total, one) => total + one, 0);
    await eventually(async () => (await sum()) === 0, 'nothing is left', timersRunOutMs).catch(
      async (error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(await leftovers(laboratory))}`);
      },
    );
  };

  // What a process keeps for good it has after the first calls.
  await run(2);
  await nothingLeft();
  const before = await watch.held(laboratory);
  await run(callsEach);
  await nothingLeft();
  const reasons = laboratory.bodies('callEnded').map(({ termination }) => termination?.reason ?? '');
  const after = await watch.held(laboratory);

  const counted = Object.fromEntries(
    [...new Set(reasons)].sort().map((reason) => [reason, reasons.filter((one) => one === reason).length]),
  );
  const each = callsEach + 2;
  assert.deepEqual(counted, { busy: each, cancelled: each, hangup: 2 * each });
  assert.equal(await laboratory.metric('signalling', 'sidestream_calls_refused_total', 'reason="destination"'), each);
  assert.equal(laboratory.recorder.sessions.length, 2 * each);
  for (const [name, { rssKb, timers }] of after) {
    const was = before.get(name);
    t.diagnostic(
      `${name}: ${timers ?? 'no'} timers, before ${was?.timers ?? 'no'}; ${Math.round(rssKb / 1_024)} MB, before ${Math.round((was?.rssKb ?? 0) / 1_024)} MB`,
    );
    assert.ok((timers ?? 0) <= (was?.timers ?? 0) + timersOfNoCall, `${name} has ${timers} timers, had ${was?.timers}`);
  }
  return;
});
