// What becomes of a fork by the recorder's answer, in the SDP that signalling writes of it.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type RtpenginePeer, reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import { maxForksPerSession } from '../domain/media-session.js';
import { Relay } from '../domain/relay.js';
import { bothParties, TestCall } from '../testing/call.js';
import { relayAnswer } from '../testing/rtp-endpoint.js';
import { soon } from '../testing/soon.js';
import { NgClient } from './ng-client.js';
import { Rtpengine } from './rtpengine.js';

const skip = await reasonToSkip([startRtpengine]);
const silent = { info: () => undefined, warn: () => undefined };

describe('answers to a fork of the real rtpengine', { skip }, () => {
  let process: RtpenginePeer;
  let client: NgClient;
  let relay: Relay;
  const calls: TestCall[] = [];

  before(async () => {
    process = requirePeer(await startRtpengine());
    client = new NgClient({ address: process });
    relay = new Relay({ engine: new Rtpengine(client, 'test'), maxSessions: 20, log: silent });
    relay.setEngineProblem(undefined);
  });
  afterEach(async () => {
    for (const call of calls.splice(0)) call.close();
    await relay.closeAll();
  });
  after(async () => {
    await client?.close();
    await process?.stop();
  });

  async function connect(id: string, payloadTypes?: string, attributes?: string): Promise<TestCall> {
    const call = await TestCall.connect(relay, id, payloadTypes, attributes);
    calls.push(call);
    return call;
  }

  for (const [how, held] of [
    ['held by a=inactive', (sdp: string) => sdp.replaceAll('a=recvonly', 'a=inactive')],
    ['held by port 0', () => relayAnswer([undefined, undefined])],
    ['held without any address', () => relayAnswer([undefined, undefined]).replace(/^c=.*\r\n/m, '')],
  ] as const) {
    test(`first answer ${how}: no packet; then active, held and active again`, async () => {
      const call = await connect('held');
      const recorder = await call.recorder();
      const active = relayAnswer(recorder);
      const heard = () => recorder.map((endpoint) => endpoint.received.length);
      await relay.startFork('held', 'rec', bothParties, soon());
      await relay.answerFork('held', 'rec', held(active), soon());
      await call.talk(20);
      assert.deepEqual(heard(), [0, 0]);
      for (const total of [10, 20]) {
        await relay.answerFork('held', 'rec', active, soon());
        await call.talk(10);
        await recorder[0].has(total, call.customer.ssrc);
        await recorder[1].has(total, call.seller.ssrc);
        await relay.answerFork('held', 'rec', held(active), soon());
        await call.talk(20);
        assert.deepEqual(heard(), [total, total]);
      }
    });
  }

  test('a recorder that refuses one of two streams gets the other', async () => {
    for (const refused of [0, 1]) {
      const call = await connect(`one-${refused}`);
      const recorder = await call.recorder();
      await call.forkTo(
        'rec',
        recorder.map((endpoint, index) => (index === refused ? undefined : endpoint)),
      );
      await call.talk(10);
      const party = refused === 0 ? call.seller : call.customer;
      await recorder[1 - refused]?.has(10, party.ssrc);
      assert.equal(recorder[refused]?.received.length, 0);
    }
  });

  test('after an answer that failed, on a new and on a live fork, StartFork and the last good answer record again', async () => {
    const call = await connect('again');
    const recorder = await call.recorder();
    const good = relayAnswer(recorder);
    const bad = good.replaceAll('c=IN IP4 127.0.0.1', 'c=IN IP4 nowhere');
    const offered = await relay.startFork('again', 'rec', bothParties, soon());
    for (const total of [10, 20, 30]) {
      await assert.rejects(relay.answerFork('again', 'rec', bad, soon()), { code: 'recorder-answer-unusable' });
      await call.talk(20);
      assert.equal(recorder[0].received.length, total - 10);
      assert.deepEqual(await relay.startFork('again', 'rec', bothParties, soon()), offered);
      await relay.answerFork('again', 'rec', good, soon());
      await call.talk(10);
      await recorder[0].has(total, call.customer.ssrc);
      await recorder[1].has(total, call.seller.ssrc);
    }
  });

  test('a recorder each: 16 forks in the life of a session, each with keys of its own; the 17th is refused, and says why', async () => {
    const call = await connect('many');
    const keys = new Set<string>();
    for (let n = 0; n < maxForksPerSession; n += 1) {
      for (const { crypto } of await relay.startFork('many', `f${n}`, bothParties, soon())) keys.add(crypto);
      if (n < maxForksPerSession - 1) await relay.stopFork('many', `f${n}`, soon());
    }
    assert.equal(keys.size, 2 * maxForksPerSession);
    await assert.rejects(relay.startFork('many', 'f16', bothParties, soon()), {
      code: 'forks-exhausted',
      message: 'session many takes no new fork f16: it had 16 in its life, the most it may',
    });
    const recorder = await call.recorder();
    await relay.answerFork('many', 'f15', relayAnswer(recorder), soon());
    await call.talk(10);
    await recorder[1].has(10, call.seller.ssrc);
  });

  test("the engine's log holds no key, not even of refused answers", () => {
    assert.doesNotMatch(process.output(), /inline:/);
  });
});
