// What a recorder gets that was offered PCMU and PCMA, whatever the parties speak: never a payload type it did not answer.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { eventually, type RtpenginePeer, reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import { Relay } from '../domain/relay.js';
import { bothParties, TestCall } from '../testing/call.js';
import { type RtpEndpoint, relayAnswer } from '../testing/rtp-endpoint.js';
import { soon } from '../testing/soon.js';
import { NgClient } from './ng-client.js';
import { Rtpengine } from './rtpengine.js';

const skip = await reasonToSkip([startRtpengine]);
const silent = { info: () => undefined, warn: () => undefined };
/** What README.md asks for: otherwise the engine drops ten seconds of a transcoded voice after each digit. */
const args = ['--dtmf-no-suppress'];

describe('codecs of a fork of the real rtpengine', { skip }, () => {
  let process: RtpenginePeer;
  let client: NgClient;
  let relay: Relay;
  const calls: TestCall[] = [];

  before(async () => {
    process = requirePeer(await startRtpengine({ args }));
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

  /** The customer sends `customer`, the seller `seller`, until both streams have got ten more packets of it. */
  async function record(call: TestCall, streams: readonly RtpEndpoint[], customer: number, seller = customer) {
    const wanted = streams.map((stream) => stream.received.length + 10);
    const enough = () => streams.every((stream, index) => stream.received.length >= (wanted[index] ?? 0));
    await eventually(() => {
      call.customer.send(call.towardsCustomer, 1, customer);
      call.seller.send(call.towardsSeller, 1, seller);
      return enough();
    }, 'both voices arrive');
  }

  function payloadTypes(streams: readonly RtpEndpoint[]): string[] {
    return streams.map((stream) => Object.keys(stream.byPayloadType()).join(' '));
  }

  test('G.722: the recorder gets PCMU on both streams', async () => {
    const call = await connect('g722', '9');
    const recorder = await call.recorder();
    const offered = await call.forkTo('rec', recorder);
    assert.deepEqual(
      offered.map((stream) => stream.payloadTypes),
      [[0], [0]],
    );
    await record(call, recorder, 9);
    assert.deepEqual(payloadTypes(recorder), ['0', '0']);
  });

  test('one party speaks G.722, the other PCMA: the recorder gets PCMU of both', async () => {
    const call = await connect('mixed');
    await call.renegotiate('9', '8');
    const recorder = await call.recorder();
    await call.forkTo('rec', recorder);
    await record(call, recorder, 9, 8);
    assert.deepEqual(payloadTypes(recorder), ['0', '0']);
  });

  test('G.722 and PCMA on one leg: what comes in G.722 leaves in PCMA', async () => {
    const call = await connect('choice', '9 8');
    const recorder = await call.recorder();
    await call.forkTo('rec', recorder);
    await record(call, recorder, 9, 8);
    assert.deepEqual(payloadTypes(recorder), ['8', '8']);
  });

  test('a codec change to G.722 and on to PCMA: same ports and keys, never an unknown payload type', async () => {
    const call = await connect('change');
    const recorder = await call.recorder();
    const [answer, seen] = [relayAnswer(recorder), new Set<string>()];
    const before = await relay.startFork('change', 'rec', bothParties, soon());
    await relay.answerFork('change', 'rec', answer, soon());
    await record(call, recorder, 0);
    for (const type of [9, 8, 9, 0]) {
      await call.renegotiate(String(type));
      const renewed = await relay.startFork('change', 'rec', bothParties, soon());
      await relay.answerFork('change', 'rec', answer, soon());
      assert.deepEqual(
        renewed.map(({ port, crypto }) => ({ port, crypto })),
        before.map(({ port, crypto }) => ({ port, crypto })),
      );
      await record(call, recorder, type);
      for (const types of payloadTypes(recorder)) seen.add(types);
    }
    assert.deepEqual([...seen], ['0']);
  });

  test('pause and resume of a G.722 call: PCMU from the first packet on', async () => {
    const call = await connect('resumed', '9');
    const recorder = await call.recorder();
    await call.forkTo('rec', recorder);
    await record(call, recorder, 9);
    await relay.pauseFork('resumed', 'rec', soon());
    await relay.resumeFork('resumed', 'rec', bothParties, soon());
    await record(call, recorder, 9);
    await relay.answerFork('resumed', 'rec', relayAnswer(recorder), soon());
    await record(call, recorder, 9);
    assert.deepEqual(payloadTypes(recorder), ['0', '0']);
  });

  for (const [party, answered] of [
    [8, 0],
    [0, 8],
    [9, 8],
  ] as const) {
    test(`parties with payload type ${party}, a recorder that answers ${answered} alone: it gets ${answered}`, async () => {
      const call = await connect(`only-${party}-${answered}`, String(party));
      const recorder = await call.recorder();
      await call.forkTo('rec', recorder, `${answered} 101`);
      await record(call, recorder, party);
      assert.deepEqual(payloadTypes(recorder), [String(answered), String(answered)]);
    });
  }

  test('DTMF on 101 reaches the recorder, also beside a transcoded voice, which goes on after the digit', async () => {
    for (const type of [0, 9]) {
      const call = await connect(`dtmf-${type}`, `${type} 101`, 'a=rtpmap:101 telephone-event/8000\r\n');
      const recorder = await call.recorder();
      const offered = await call.forkTo('rec', recorder);
      assert.equal(offered[0]?.telephoneEvent, 101);
      await record(call, recorder, type);
      call.customer.sendDigit(call.towardsCustomer, 101);
      await eventually(() => recorder[0].byPayloadType()[101] === 6, 'the digit');
      await record(call, recorder, type);
    }
  });

  test('known limit: DTMF on another payload type than the answered one is told, and does not reach the recorder', async () => {
    const call = await connect('dtmf-96', '0 96', 'a=rtpmap:96 telephone-event/8000\r\n');
    const recorder = await call.recorder();
    const offered = await call.forkTo('rec', recorder);
    assert.equal(offered[0]?.telephoneEvent, 96);
    await record(call, recorder, 0);
    call.customer.sendDigit(call.towardsCustomer, 96);
    await call.seller.has(16, call.customer.ssrc);
    await record(call, recorder, 0);
    assert.deepEqual(payloadTypes(recorder), ['0', '0']);
  });
});
