// Twenty recorded calls between real parts while somebody attacks: no call loses a packet, no process grows, none dies.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@sidestream/peers';
import { serialiseMessage } from '@sidestream/sip';
import { Stage } from '../e2e/stage.js';
import { DeploymentWatch, leftovers } from './deployment-watch.js';
import { lossesOf, type Period, RecordedCall } from './recorded-call.js';
import { send } from './sender.js';

const strangerHost = '127.0.0.9';
/** A configured peer that has gone mad; its trunk has the limits that a trunk should have. */
const madPeerHost = '127.0.0.4';
const callsUp = 20;
const periodMs = 10_000;
const hostile = { fromPeer: 6_000, fromStrangers: 4_000 };
const flood = { perSecond: 2_000, seconds: 10 };
const mostGrowthKb = 50 * 1_024;
/** 64*T1 of RFC 3261 for the last transactions, and for calls that nobody has acknowledged before they end. */
const timersRunOutMs = 80_000;

/** Runs an attack and gives the period in which it went on. */
async function during<T>(attack: () => Promise<T>): Promise<{ period: Period; result: T }> {
  const from = Date.now();
  const result = await attack();
  return { period: { from, until: Date.now() }, result };
}

test(`${callsUp} recorded calls outlast hostile datagrams and a flood without losing a packet`, async (t) => {
  const watch = new DeploymentWatch();
  t.after(() => watch.close());
  const samples = new Set<string>();
  const stage = await Stage.start(t, {
    customer: { onMessage: ({ message }) => samples.add(serialiseMessage(message).toString('latin1')) },
    configure: (config) => {
      config.trunks['mad'] = {
        tenant: 'contoso',
        side: 'customer',
        peers: [`${madPeerHost}/32`],
        routes: [{ to: 'pbx' }],
        limits: { calls: 10, callsPerSecond: 2 },
      };
      config.log = { level: 'warn' };
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  const [host = '', port = ''] = laboratory.sipAddress('udp').split(':');
  const to = { host, port: Number(port) };

  // A call that is over by then gives its messages, BYE included.
  const first = await stage.inbound();
  await stage.talk(first, 10);
  await first.customer.hangUp();
  const calls = await RecordedCall.placeMany(stage, callsUp);
  const real = [...samples];
  const callIds = calls.map(({ call }) => call.customer.id);
  await delay(1_000);
  const before = await watch.held(laboratory);
  const processes = [...watch.processes(laboratory)];

  const quiet = await during(() => delay(periodMs));
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed of the hostile datagrams: ${seed}`);
  const perSecond = (count: number) => (count * 1_000) / periodMs;
  const bent = await during(() =>
    Promise.all([
      send({
        host: madPeerHost,
        to,
        count: hostile.fromPeer,
        perSecond: perSecond(hostile.fromPeer),
        samples: real,
        hostile: { seed, callIds },
      }),
      send({
        host: strangerHost,
        to,
        count: hostile.fromStrangers,
        perSecond: perSecond(hostile.fromStrangers),
        samples: real,
        hostile: { seed: seed + 1, callIds },
      }),
    ]),
  );
  const refusedBefore = await laboratory.metric('sip-edge', 'sidestream_edge_refused_total');
  const flooded = await during(() =>
    send({ host: strangerHost, to, count: flood.perSecond * flood.seconds, perSecond: flood.perSecond, samples: real }),
  );
  const after = await watch.held(laboratory);
  const refused = (await laboratory.metric('sip-edge', 'sidestream_edge_refused_total')) - refusedBefore;
  const [fromPeer, fromStranger] = bent.result;
  t.diagnostic(
    `a peer's ${fromPeer.sent}: ${fromPeer.answers} answers; the flood took ${Math.round(flooded.result.tookMs)} ms`,
  );

  await t.test('what is under way arrives', () =>
    Promise.all(calls.map(({ call }) => stage.talk(call, 50))).then(() => {}),
  );

  await t.test('no call loses a packet', () => {
    const quietly = lossesOf(calls, quiet.period);
    for (const [name, { period }] of Object.entries({ quiet, bent, flooded })) {
      const { sent, atParties, atRecorder } = lossesOf(calls, period);
      t.diagnostic(
        `${name}: ${sent} packets sent, ${atParties} not at the other party, ${atRecorder} not at the recorder`,
      );
      assert.ok(sent > (callsUp * 2 * (period.until - period.from)) / 25, `${name}: the parties speak`);
      // What this machine loses of the same calls without any attack is its own.
      assert.ok(atParties <= quietly.atParties, `${name}: ${atParties} lost, ${quietly.atParties} without an attack`);
      assert.ok(atRecorder <= quietly.atRecorder, `${name}: ${atRecorder} not recorded, ${quietly.atRecorder} without`);
    }
    assert.equal(calls.filter(({ over }) => over).length, 0);
    assert.equal(
      calls.reduce((sum, { authFailures }) => sum + authFailures, 0),
      0,
    );
  });

  await t.test(
    'the attack was one: broken messages, requests that a call could have come of, and more calls than the trunk may have',
    async () => {
      const malformed = await laboratory.metric('sip-edge', 'sidestream_edge_malformed_total');
      const beyond = await laboratory.metric('signalling', 'sidestream_calls_refused_total', 'trunk="mad"');
      const taken = laboratory.bodies('callStarted').filter(({ trunk }) => trunk === 'mad').length;
      t.diagnostic(`a peer's: ${malformed} were no SIP, ${beyond} calls refused, ${taken} taken`);
      assert.ok(malformed > hostile.fromPeer / 10 && beyond > 10 && taken > 0);
    },
  );

  await t.test(
    'nothing is amplified: not by one datagram, and whoever sends as a peer gets less back than was sent',
    () => {
      const { sentBytes, answers, answeredBytes, unknown, findings } = fromPeer;
      t.diagnostic(`${unknown} answers to datagrams without a branch that is known`);
      assert.deepEqual(findings, []);
      assert.ok(unknown < answers / 4, `${unknown} of ${answers} answers can't be told whose they are`);
      t.diagnostic(`${sentBytes} bytes sent, ${answeredBytes} came back in ${answers} answers`);
      assert.ok(answers < fromPeer.sent && answeredBytes < sentBytes);
    },
  );

  await t.test('strangers hear not a byte, and each datagram of theirs is counted', () => {
    assert.equal(fromStranger.answers + flooded.result.answers, 0);
    // The kernel may drop what comes too fast; what the edge has seen it has counted.
    assert.ok(refused > 0.9 * flooded.result.sent, `${refused} of ${flooded.result.sent}`);
  });

  await t.test('no process has grown by more than 50 MB, and none has died', () => {
    assert.deepEqual([...watch.processes(laboratory)], processes);
    for (const [name, { rssKb }] of after) {
      const grown = rssKb - (before.get(name)?.rssKb ?? 0);
      t.diagnostic(`${name}: ${Math.round(rssKb / 1_024)} MB, grown by ${(grown / 1_024).toFixed(1)} MB`);
      assert.ok(grown <= mostGrowthKb, `${name} has grown by ${grown} kB`);
    }
  });

  await t.test('once the calls are over and the timers have run out nothing is left', async () => {
    await Promise.all(calls.map(({ call }) => call.customer.hangUp()));
    const sum = async () => Object.values(await leftovers(laboratory)).reduce((total, one) => total + one, 0);
    await eventually(async () => (await sum()) === 0, 'nothing is left', timersRunOutMs).catch(
      async (error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(await leftovers(laboratory))}`);
      },
    );
  });
});
