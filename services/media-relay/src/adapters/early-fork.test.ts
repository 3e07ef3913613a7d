// A fork that is there before the call is answered: no word is lost, whatever the answer turns out to be.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { eventually, type RtpenginePeer, reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import type { ForkStream, Party } from '../domain/ports.js';
import { Relay } from '../domain/relay.js';
import { bothParties } from '../testing/call.js';
import { RtpEndpoint, relayAnswer } from '../testing/rtp-endpoint.js';
import { soon } from '../testing/soon.js';
import { openSrtp } from '../testing/srtp.js';
import { NgClient } from './ng-client.js';
import { Rtpengine } from './rtpengine.js';

const skip = await reasonToSkip([startRtpengine]);
const silent = { info: () => undefined, warn: () => undefined };
const dtmf = 'a=rtpmap:101 telephone-event/8000\r\n';

describe('a fork before the answer, on the real rtpengine', { skip }, () => {
  let process: RtpenginePeer;
  let client: NgClient;
  let relay: Relay;
  const opened: RtpEndpoint[] = [];

  before(async () => {
    process = requirePeer(await startRtpengine({ args: ['--dtmf-no-suppress'] }));
    client = new NgClient({ address: process });
    relay = new Relay({ engine: new Rtpengine(client, 'test'), maxSessions: 20, log: silent });
    relay.setEngineProblem(undefined);
  });
  afterEach(async () => {
    for (const endpoint of opened.splice(0)) endpoint.close();
    await relay.closeAll();
  });
  after(async () => {
    await client?.close();
    await process?.stop();
  });

  /** A call that rings, with its recorder connected. The offer takes more than the answer will. */
  async function ringing(id: string, caller: Party, payloadTypes: string, recorderTakes = '0 8 101') {
    const ends = await Promise.all([1, 2, 3, 4].map(() => RtpEndpoint.open()));
    opened.push(...ends);
    const [customer, seller, first, second] = ends as [RtpEndpoint, RtpEndpoint, RtpEndpoint, RtpEndpoint];
    const parties = { customer, seller };
    const towards: Record<Party, string> = { customer: '', seller: '' };
    const called = caller === 'customer' ? 'seller' : 'customer';
    towards[called] = await relay.openSession(id, caller, parties[caller].sdp(payloadTypes, dtmf), soon());
    const recorder = [first, second] as const;
    const answer = relayAnswer(recorder, recorderTakes);
    const streams = await relay.startFork(id, 'rec', bothParties, soon());
    await relay.answerFork(id, 'rec', answer, soon());
    return {
      id,
      streams,
      recorder,
      /** The called party answers with these payload types, from here. */
      async answer(types: string, from = parties[called], attributes = dtmf) {
        parties[called] = from;
        towards[caller] = await relay.answerSession(id, called, from.sdp(types, attributes), soon());
      },
      /** What signalling does after an answer. */
      async renew(): Promise<readonly ForkStream[]> {
        const renewed = await relay.startFork(id, 'rec', bothParties, soon());
        await relay.answerFork(id, 'rec', answer, soon());
        return renewed;
      },
      say: (party: Party, count: number, type: number) => parties[party].send(towards[party], count, type),
      parties,
      towards,
    };
  }

  type Ringing = Awaited<ReturnType<typeof ringing>>;

  /** Both talk while the fork is renewed; every payload reaches the recorder, decrypted, on its own stream. */
  async function assertWholeConversation(call: Ringing, type: number): Promise<void> {
    const said = { customer: call.say('customer', 10, type), seller: call.say('seller', 10, type) };
    const renewed = await call.renew();
    said.customer.push(...call.say('customer', 10, type));
    said.seller.push(...call.say('seller', 10, type));
    for (const [index, party] of bothParties.entries()) {
      const [endpoint, stream] = [call.recorder[index], call.streams[index]];
      assert.ok(endpoint && stream);
      const { ssrc } = call.parties[party];
      await endpoint.has(20, ssrc);
      assert.deepEqual([renewed[index]?.port, renewed[index]?.crypto], [stream.port, stream.crypto]);
      // Two threads of the engine may change the order of packets that were sent at once.
      const heard = endpoint.from(ssrc).toSorted((one, other) => one.readUInt16BE(2) - other.readUInt16BE(2));
      assert.deepEqual(
        heard.map((packet) => openSrtp(stream.crypto, packet)),
        said[party],
        `every word of the ${party}`,
      );
      assert.equal(endpoint.received.length, 20, `nothing else on the stream of the ${party}`);
    }
    const { customer, seller } = call.parties;
    await customer.has(20, seller.ssrc);
    await seller.has(20, customer.ssrc);
  }

  for (const caller of bothParties) {
    for (const [answered, type] of [
      ['0 101', 0],
      ['8', 8],
    ] as const) {
      test(`the ${caller} calls, the answer takes ${answered}: the recorder has both voices from their first packet`, async () => {
        const call = await ringing(`${caller}-${type}`, caller, '8 0 101');
        assert.deepEqual(
          call.streams.map(({ party, payloadTypes, telephoneEvent }) => ({ party, payloadTypes, telephoneEvent })),
          bothParties.map((party) => ({ party, payloadTypes: [8, 0], telephoneEvent: 101 })),
        );
        await call.answer(answered);
        await assertWholeConversation(call, type);
      });
    }
  }

  test('several early answers from different addresses before the real one: the fork follows the last', async () => {
    const call = await ringing('forked', 'customer', '0 8 101');
    for (const types of ['0 8 101', '0 101', '0']) {
      const branch = await RtpEndpoint.open();
      opened.push(branch);
      await call.answer(types, branch, types.includes('101') ? dtmf : '');
    }
    await assertWholeConversation(call, 0);
  });

  test('a recorder that takes PCMU alone: a call answered in PCMA or G.722 reaches it as PCMU once renewed', async () => {
    for (const type of [8, 9]) {
      const call = await ringing(`turned-${type}`, 'customer', '9 8 0 101', '0 101');
      await call.answer(`${type}`);
      await call.renew();
      await eventually(() => {
        for (const party of bothParties) call.say(party, 1, type);
        return call.recorder.every((stream) => stream.received.length >= 10);
      }, 'both voices arrive');
      assert.deepEqual(
        call.recorder.map((stream) => Object.keys(stream.byPayloadType())),
        [['0'], ['0']],
      );
    }
  });

  test('a call that ends unanswered leaves nothing, and its recorder has received nothing', async () => {
    const call = await ringing('unanswered', 'customer', '0');
    assert.deepEqual((await relay.closeSession(call.id))?.received, []);
    assert.deepEqual(await relay.closeSession(call.id), undefined);
    assert.equal(call.recorder.flatMap((stream) => stream.received).length, 0);
  });
});
