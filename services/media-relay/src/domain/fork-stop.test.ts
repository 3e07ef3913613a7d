import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { audioSdp } from '../testing/audio-sdp.js';
import { FakeEngine, hang } from '../testing/fake-engine.js';
import { soon } from '../testing/soon.js';
import type { Party, Traffic } from './ports.js';
import { Relay } from './relay.js';

const parties: readonly Party[] = ['customer', 'seller'];
const secure = [
  ...['v=0', 'o=r 1 1 IN IP4 192.0.2.1', 's=r', 'c=IN IP4 192.0.2.1', 't=0 0'],
  ...[1, 2].flatMap(() => ['m=audio 9 RTP/SAVP 0', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}`]),
].join('\r\n');

/** What the engine tells while it forks, and after it has stopped. */
function counts(packets: number, forked: boolean): Traffic {
  const lines = parties.map(() => ({ taken: true, failed: 0, returned: 0 }));
  return {
    parties: [],
    voices: { customer: packets, seller: packets },
    receptions: [],
    forks: new Map(forked ? [['f', { parties, lines }]] : []),
  };
}

/** A call whose fork is answered and counted from 10 packets on. */
async function forked() {
  const engine = new FakeEngine();
  const relay = new Relay({ engine, maxSessions: 1, log: { info: () => undefined, warn: () => undefined } });
  relay.setEngineProblem(undefined);
  engine.counted = counts(10, true);
  await relay.openSession('1', 'customer', audioSdp, soon());
  await relay.answerSession('1', 'seller', audioSdp, soon());
  await relay.startFork('1', 'f', parties, soon());
  await relay.answerFork('1', 'f', secure, soon());
  await delay(0);
  engine.counted = counts(110, true);
  return { engine, relay };
}

for (const how of ['pauseFork', 'stopFork'] as const)
  test(`${how}: the engine is asked what it has copied before it is told to stop, for after that it does not tell`, async () => {
    const { engine, relay } = await forked();
    engine.before = async (command) => {
      if (command === 'stopFork') engine.counted = counts(110, false);
      if (command === 'traffic') await delay(1);
    };
    await relay[how]('1', 'f', soon());
    const media = await relay.closeSession('1');
    assert.deepEqual(media?.copied.get('f')?.get('customer'), { due: 100, copied: 100 });
  });

test('a stop does not wait for a count that does not come', async (t) => {
  // Deadlines keep no process alive.
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const { engine, relay } = await forked();
  const did: string[] = [];
  engine.before = async (command, _, signal) => {
    if (command === 'traffic') await hang(signal).finally(() => did.push('the count is given up'));
    if (command === 'stopFork') did.push('it is stopped');
  };
  await relay.pauseFork('1', 'f', soon());
  assert.deepEqual(did, ['it is stopped', 'the count is given up']);
  engine.before = () => undefined;
  assert.equal((await relay.closeSession('1'))?.copied.get('f'), undefined);
});
