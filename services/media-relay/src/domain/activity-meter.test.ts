import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { audioSdp } from '../testing/audio-sdp.js';
import { FakeEngine, hang } from '../testing/fake-engine.js';
import { soon } from '../testing/soon.js';
import { ActivityMeter } from './activity-meter.js';
import type { Traffic } from './ports.js';
import { Relay } from './relay.js';

const log = { info: () => undefined, warn: () => undefined };
const line = (failed = 0, taken = true) => ({ taken, failed, returned: 0 });
const secure = [
  ...['v=0', 'o=r 1 1 IN IP4 192.0.2.1', 's=r', 'c=IN IP4 192.0.2.1', 't=0 0'],
  ...[1, 2].flatMap(() => ['m=audio 9 RTP/SAVP 0', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}`]),
].join('\r\n');

/** The meter's own timers keep no process alive. */
const alive = setInterval(() => undefined, 1_000);
after(() => clearInterval(alive));

let engine: FakeEngine;
let relay: Relay;
let now: number;
let meter: ActivityMeter;

beforeEach(() => {
  engine = new FakeEngine();
  relay = new Relay({ engine, maxSessions: 200, log });
  relay.setEngineProblem(undefined);
  now = 1_000;
  meter = new ActivityMeter({ engine, relay, stopping: new AbortController().signal, clock: () => now });
});

async function open(id: string): Promise<void> {
  await relay.openSession(id, 'customer', audioSdp, soon());
  await relay.answerSession(id, 'seller', audioSdp, soon());
}

async function fork(id: string): Promise<void> {
  await relay.startFork(id, 'f', ['customer', 'seller'], soon());
  await relay.answerFork(id, 'f', secure, soon());
}

/** The engine has counted so many packets by now. */
function count(customer: number, seller: number, failed = 0, taken = true): void {
  const lines = [line(), line(failed, taken)];
  const forks: Traffic['forks'] = new Map([['f', { parties: ['customer', 'seller'], lines }]]);
  engine.counted = { ...engine.counted, voices: { customer, seller }, forks };
}

const measured = async (...ids: string[]) =>
  (await meter.measure(ids, false, soon())).map(({ session, voices, forks }) => ({
    session,
    voices: Object.fromEntries(voices),
    forks: Object.fromEntries([...forks].map(([id, rates]) => [id, Object.fromEntries(rates)])),
  }));
const asked = () => engine.commands.filter((command) => command.startsWith('traffic')).length;

test('two looks make a rate of each voice, and of what left for the recorder: less what could not be sent', async () => {
  await open('1');
  await fork('1');
  count(100, 200, 5);
  assert.deepEqual(await measured('1', 'unknown'), [], 'one look is no rate');
  now += 2_000;
  count(200, 260, 25);
  assert.deepEqual(await measured('1'), [
    { session: '1', voices: { customer: 50, seller: 30 }, forks: { f: { customer: 50, seller: 20 } } },
  ]);
});

test('of a voice that the recorder refuses nothing leaves', async () => {
  await open('1');
  await fork('1');
  count(0, 0, 0, false);
  await measured('1');
  now += 2_000;
  count(100, 100, 0, false);
  assert.deepEqual((await measured('1'))[0]?.forks, { f: { customer: 50, seller: 0 } });
});

test('a fork that is paused has rates of 0 at once; one that was answered since is not known yet', async () => {
  await open('1');
  await fork('1');
  count(0, 0);
  await measured('1');
  await relay.pauseFork('1', 'f', soon());
  now += 1_000;
  count(50, 50);
  assert.deepEqual((await measured('1'))[0]?.forks, { f: { customer: 0, seller: 0 } });
  await relay.resumeFork('1', 'f', ['customer', 'seller'], soon());
  await relay.answerFork('1', 'f', secure, soon());
  now += 1_000;
  assert.deepEqual((await measured('1'))[0]?.forks, {});
});

test('however many look, and however often: the engine is asked about a session once in a second, about no other', async () => {
  await open('1');
  await open('2');
  const before = asked();
  await Promise.all([measured('1'), measured('1'), measured('1')]);
  await measured('1', '1');
  assert.equal(asked() - before, 1);
  now += 1_000;
  await measured('1');
  assert.equal(asked() - before, 2);
  assert.ok(!engine.commands.includes('traffic 2'));
});

test('who waits gets a rate at the first time; who has not looked for long begins anew', async () => {
  await open('1');
  count(0, 0);
  const waiting = meter.measure(['1'], true, soon());
  setTimeout(() => {
    now += 500;
    count(25, 20);
  }, 100);
  assert.deepEqual(
    [...((await waiting)[0]?.voices ?? [])],
    [
      ['customer', 50],
      ['seller', 40],
    ],
  );
  now += 60_000;
  assert.deepEqual(await measured('1'), []);
});

test('what the engine does not tell in time is left out, and it is asked for a few at a time, however many look', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `s${index}`);
  for (const id of ids) await open(id);
  let [running, most] = [0, 0];
  engine.before = async (command, session, signal) => {
    if (command !== 'traffic') return;
    running += 1;
    most = Math.max(most, running);
    if (session === 's3') await hang(signal).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    signal.throwIfAborted();
  };
  const everyThird = (first: number) => measured(...ids.filter((_, index) => index % 3 === first));
  const lookers = () => Promise.all([0, 1, 2].map(everyThird));
  await lookers();
  now += 1_000;
  assert.equal((await lookers()).flat().length, 19);
  assert.ok(most <= 4, `${most} at a time`);
  relay.setEngineProblem('away');
  assert.deepEqual(await measured(...ids), []);
});
