// What the real engine tells of a fork, and what the relay makes of it: does media leave for the recorder, is the recorder heard.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { eventually, type RtpenginePeer, reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import { type ForkChange, ForkMonitor } from '../domain/fork-monitor.js';
import { Relay } from '../domain/relay.js';
import { bothParties, TestCall } from '../testing/call.js';
import { type RtpEndpoint, recorderSdp } from '../testing/rtp-endpoint.js';
import { soon } from '../testing/soon.js';
import { sealedReport } from '../testing/srtp.js';
import { NgClient } from './ng-client.js';
import { Rtpengine } from './rtpengine.js';

const skip = await reasonToSkip([startRtpengine]);
const silent = { info: () => undefined, warn: () => undefined };
const id = 'call';
const fork = 'rec';
const quick = { intervalMs: 50, stalledAfterMs: 200, silentAfterMs: 200 };

describe('on the real rtpengine', { skip }, () => {
  let process: RtpenginePeer;
  let client: NgClient;
  let engine: Rtpengine;
  let relay: Relay;
  let call: TestCall;
  let recorder: [RtpEndpoint, RtpEndpoint];
  const stops: (() => unknown)[] = [];

  before(async () => {
    process = requirePeer(await startRtpengine());
    client = new NgClient({ address: process });
    engine = new Rtpengine(client, 'test');
    relay = new Relay({ engine, maxSessions: 100, log: silent });
    relay.setEngineProblem(undefined);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    call?.close();
    await relay.closeAll();
  });
  after(async () => {
    await client?.close();
    await process?.stop();
  });

  async function connect(): Promise<void> {
    call = await TestCall.connect(relay, id);
    recorder = await call.recorder();
  }

  /** Starts the fork and has it answered. @returns how the recorder sends a report for its first line. */
  async function forked(): Promise<() => void> {
    await connect();
    const [stream] = await relay.startFork(id, fork, bothParties, soon());
    assert.ok(stream);
    const answer = recorderSdp(recorder);
    await relay.answerFork(id, fork, answer, soon());
    const own = /^a=crypto:(.*)$/m.exec(answer)?.[1] ?? '';
    let index = 0;
    return () => {
      index += 1;
      recorder[0].sendTo(stream.rtcpPort, sealedReport(own, index));
    };
  }

  /** Watches with short limits. @returns what was told, and how often the engine was asked. */
  function watch(over: Partial<typeof quick> = {}): { told: ForkChange[]; asked: () => number } {
    let asked = 0;
    const counted = {
      traffic: (...about: Parameters<Rtpengine['traffic']>) => {
        asked += 1;
        return engine.traffic(...about);
      },
    };
    const monitor = new ForkMonitor({ engine: counted, relay, log: silent, ...quick, ...over });
    const told: ForkChange[] = [];
    monitor.onChange((change) => told.push(change));
    monitor.start();
    stops.push(() => monitor.stop());
    return { told, asked: () => asked };
  }

  /** Both speak all the time. */
  function speak(): void {
    const timer = setInterval(() => {
      call.customer.send(call.towardsCustomer, 1);
      call.seller.send(call.towardsSeller, 1);
    }, 10);
    stops.push(() => clearInterval(timer));
  }

  test('what the parties send and the recorder reports is counted, each on its line', async () => {
    const report = await forked();
    await call.talk(20);
    report();
    const line = { taken: true, failed: 0 };
    const returned = async () => (await engine.traffic(id, soon())).forks.get(fork)?.lines[0]?.returned;
    await eventually(async () => (await returned()) === 1, 'the report has come');
    assert.deepEqual(await engine.traffic(id, soon()), {
      parties: bothParties.map((party) => ({ party, packets: 20, bytes: 20 * 172 })),
      voices: { customer: 20, seller: 20 },
      receptions: [],
      forks: new Map([
        [
          fork,
          {
            parties: bothParties,
            lines: [
              { ...line, returned: 1 },
              { ...line, returned: 0 },
            ],
          },
        ],
      ]),
    });
  });

  test('what left for the recorder is told at the end: all that both said while media flowed, pauses and stops left out', async () => {
    await forked();
    const counted = () => engine.traffic(id, soon());
    await counted();
    await call.talk(20);
    await relay.pauseFork(id, fork, soon());
    await call.talk(7);
    await relay.resumeFork(id, fork, bothParties, soon());
    await relay.answerFork(id, fork, recorderSdp(recorder), soon());
    await counted();
    await call.talk(10);
    await relay.startFork(id, 'second', bothParties, soon());
    await relay.answerFork(id, 'second', recorderSdp(await call.recorder()), soon());
    await counted();
    await call.talk(5);
    await relay.stopFork(id, 'second', soon());
    await call.talk(3);
    const arrived = recorder.map(({ received }) => received.length);
    const media = await relay.closeSession(id);
    assert.deepEqual(
      media?.received.map(({ packets }) => packets),
      [45, 45],
    );
    const both = (packets: number) => new Map(bothParties.map((party) => [party, { due: packets, copied: packets }]));
    assert.deepEqual(
      media?.copied,
      new Map([
        [fork, both(38)],
        ['second', both(5)],
      ]),
    );
    assert.deepEqual(arrived, [38, 38]);
  });

  test('RFC 3711 §3.4: a report that does not authenticate is nothing that the recorder has said', async () => {
    await connect();
    const [stream] = await relay.startFork(id, fork, bothParties, soon());
    await relay.answerFork(id, fork, recorderSdp(recorder), soon());
    recorder[0].sendTo(stream?.rtcpPort ?? 0, sealedReport(`inline:${'A'.repeat(40)}`, 1));
    await call.talk(20);
    assert.equal((await engine.traffic(id, soon())).forks.get(fork)?.lines[0]?.returned, 0);
  });

  test('a line that the recorder refused is not expected to carry anything', async () => {
    await connect();
    await call.forkTo(fork, [recorder[0], undefined]);
    const { told, asked } = watch();
    speak();
    await eventually(() => asked() > 10 && told.length > 0, 'it was looked at for long enough');
    const lines = (await engine.traffic(id, soon())).forks.get(fork)?.lines;
    assert.deepEqual([lines?.map(({ taken }) => taken), conditions(told)], [[true, false], ['flowing']]);
  });

  test('of a voice that the recorder refused all is due and nothing copied', async () => {
    await connect();
    await call.forkTo(fork, [recorder[0], undefined]);
    await engine.traffic(id, soon());
    await call.talk(20);
    const counts = (await relay.closeSession(id))?.copied.get(fork);
    assert.deepEqual([...(counts ?? [])].sort(), [
      ['customer', { due: 20, copied: 20 }],
      ['seller', { due: 20, copied: 0 }],
    ]);
  });

  test('a fork that the engine has ceased to feed, nobody knows when, is not counted', async () => {
    await forked();
    await engine.traffic(id, soon());
    await call.talk(20);
    await client.request(
      { command: 'unsubscribe', 'call-id': `sidestream/test/${id}`, 'to-tag': `fork/${fork}` },
      soon(),
    );
    const { copied } = (await relay.closeSession(id)) ?? {};
    assert.deepEqual([copied?.has(fork), copied?.get(fork)], [true, undefined]);
  });

  test('a fork that the engine feeds no more is stalled; fed anew it flows', async () => {
    await forked();
    const { told } = watch();
    speak();
    await recorder[0].has(5, call.customer.ssrc);
    await eventually(() => told.length === 1, 'media was seen to leave');
    await client.request(
      { command: 'unsubscribe', 'call-id': `sidestream/test/${id}`, 'to-tag': `fork/${fork}` },
      soon(),
    );
    await eventually(() => told.length > 1, 'it is told');
    const [, stalled] = told;
    assert.deepEqual([stalled?.session, stalled?.fork, stalled?.condition], [id, fork, 'stalled']);
    assert.ok((stalled?.lastedMs ?? 0) >= quick.stalledAfterMs);
    await call.fork(fork, recorder);
    await eventually(() => told.length > 2, 'it is told');
    assert.deepEqual(conditions(told), ['flowing', 'stalled', 'flowing']);
  });

  test('nobody says anything: no stall, whatever the fork is worth', async () => {
    await forked();
    const { told, asked } = watch();
    await client.request(
      { command: 'unsubscribe', 'call-id': `sidestream/test/${id}`, 'to-tag': `fork/${fork}` },
      soon(),
    );
    await eventually(() => asked() > 10, 'it was looked at for long enough');
    assert.deepEqual(told, []);
  });

  for (const [what, codecs] of [
    ['as it comes', '0 13'],
    ['of a voice that is transcoded', '9 13'],
  ] as const)
    test(`RFC 3389: comfort noise alone makes no stall, ${what}`, async () => {
      call = await TestCall.connect(relay, id, codecs);
      recorder = await call.recorder();
      await call.forkTo(fork, recorder);
      const voice = Number.parseInt(codecs, 10);
      call.customer.send(call.towardsCustomer, 20, voice);
      call.seller.send(call.towardsSeller, 20, voice);
      const { told, asked } = watch();
      const timer = setInterval(() => {
        call.customer.send(call.towardsCustomer, 1, 13);
        call.seller.send(call.towardsSeller, 1, 13);
      }, 10);
      stops.push(() => clearInterval(timer));
      await eventually(() => asked() > 10, 'it was looked at for long enough');
      assert.ok(
        conditions(told).every((condition) => condition === 'flowing'),
        conditions(told).join(' '),
      );
    });

  test('a recorder that has sent RTCP and does so no more is silent, until it is heard again', async () => {
    const report = await forked();
    const { told, asked } = watch();
    speak();
    for (const looks of [2, 4, 6]) {
      await eventually(() => asked() > looks, 'it was looked at');
      report();
    }
    await eventually(() => told.length > 1, 'it is told');
    assert.equal(told[1]?.condition, 'recorder-silent');
    assert.ok((told[1]?.lastedMs ?? 0) >= quick.silentAfterMs);
    report();
    await eventually(() => told.length > 2, 'it is told');
    assert.deepEqual(conditions(told), ['flowing', 'recorder-silent', 'flowing']);
  });

  test('a paused fork costs no query, and is not judged', async () => {
    await forked();
    speak();
    const { told, asked } = watch();
    await eventually(() => asked() > 0, 'it is looked at');
    await relay.pauseFork(id, fork, soon());
    const before = asked();
    await call.talk(20);
    // One may have been under way.
    assert.ok(asked() - before <= 1);
    assert.ok(conditions(told).every((condition) => condition === 'flowing'));
  });
});

function conditions(told: readonly ForkChange[]): string[] {
  return told.map(({ condition }) => condition);
}
