// Forks of parties with SRTP on the real engine: the recorder gets keys of its own, never one that a party holds.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { eventually, type RtpenginePeer, reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import type { ForkStream, Party } from '../domain/ports.js';
import { Relay } from '../domain/relay.js';
import { bothParties } from '../testing/call.js';
import { RtpEndpoint, relayAnswer } from '../testing/rtp-endpoint.js';
import { soon } from '../testing/soon.js';
import { openSrtp, sealedReport } from '../testing/srtp.js';
import { NgClient } from './ng-client.js';
import { Rtpengine } from './rtpengine.js';

const skip = await reasonToSkip([startRtpengine]);
const silent = { info: () => undefined, warn: () => undefined };
/** What others are told. Nobody is there, as behind NAT that doesn't lead back in: what goes there within the engine is lost. */
const published = '127.0.0.9';
const keyIn = (text: string) => /inline:([A-Za-z0-9+/]+)/.exec(text)?.[1] ?? '';

function newKey(tag = 1): string {
  return `${tag} AES_CM_128_HMAC_SHA1_80 inline:${randomBytes(30).toString('base64')}`;
}

function cryptoOf(sdp: string): string {
  return /^a=crypto:(.*AES_CM_128_HMAC_SHA1_80.*?)\r?$/m.exec(sdp)?.[1] ?? '';
}

describe('a fork of parties with SRTP on the real rtpengine', { skip }, () => {
  let process: RtpenginePeer;
  let client: NgClient;
  let engine: Rtpengine;
  let relay: Relay;
  const endpoints: RtpEndpoint[] = [];

  before(async () => {
    process = requirePeer(await startRtpengine({ config: `[rtpengine]\ninterface=127.0.0.1!${published}\n` }));
    client = new NgClient({ address: process });
    engine = new Rtpengine(client, 'sealed');
    relay = new Relay({ engine, maxSessions: 100, log: silent });
    relay.setEngineProblem(undefined);
  });
  afterEach(async () => {
    await relay.closeAll();
    for (const endpoint of endpoints.splice(0)) endpoint.close();
    assert.deepEqual(await engine.list(soon()), { sessions: [], remains: [], complete: true });
  });
  after(async () => {
    await client?.close();
    await process?.stop();
  });

  async function endpoint(): Promise<RtpEndpoint> {
    const opened = await RtpEndpoint.open();
    endpoints.push(opened);
    return opened;
  }

  async function parties() {
    const [customer, seller] = [await endpoint(), await endpoint()];
    const towards: Record<Party, string> = { customer: '', seller: '' };
    return { customer, seller, towards, keys: new Set<string>() };
  }
  type Parties = Awaited<ReturnType<typeof parties>>;

  async function offer(
    { customer, towards, keys }: Parties,
    secure: boolean,
    seller: 'off' | 'require',
  ): Promise<void> {
    const own = newKey();
    const sdp = customer.sdp('0', secure ? `a=crypto:${own}\r\n` : '', secure ? 'RTP/SAVP' : 'RTP/AVP');
    towards.seller = await relay.openSession('call', 'customer', sdp, soon(), { seller: { codecs: [], srtp: seller } });
    if (secure) {
      customer.keys = { own, theirs: '' };
      keys.add(keyIn(own));
    }
  }

  async function answer({ customer, seller, towards, keys }: Parties): Promise<void> {
    const offered = cryptoOf(towards.seller);
    const own = newKey(Number(offered.split(' ')[0]));
    const sdp = seller.sdp('0', offered === '' ? '' : `a=crypto:${own}\r\n`, offered === '' ? 'RTP/AVP' : 'RTP/SAVP');
    towards.customer = await relay.answerSession('call', 'seller', sdp, soon());
    if (offered !== '') seller.keys = { own, theirs: offered };
    if (customer.keys) customer.keys = { ...customer.keys, theirs: cryptoOf(towards.customer) };
    for (const known of [own, offered, cryptoOf(towards.customer)]) if (known !== '') keys.add(keyIn(known));
  }

  /** Both talk; the recorder opens every packet of each with its own key, and nothing of what it was offered opens the parties' media. */
  async function recorded(
    { customer, seller, towards, keys }: Parties,
    streams: readonly ForkStream[],
    recorder: readonly RtpEndpoint[],
  ): Promise<void> {
    for (const one of recorder) one.received.length = 0;
    const said = { customer: customer.send(towards.customer, 20), seller: seller.send(towards.seller, 20) };
    for (const [index, party] of bothParties.entries()) {
      const [stream, heard, source] = [streams[index], recorder[index], party === 'customer' ? customer : seller];
      assert.ok(stream && heard);
      assert.equal(stream.address, published);
      assert.ok(!keys.has(keyIn(stream.crypto)), 'the key is no party’s');
      await heard.has(20, source.ssrc);
      // Packets of a burst may overtake each other between the engine's threads.
      const texts = (payloads: (Buffer | undefined)[]) => payloads.map((one) => one?.toString('hex')).sort();
      assert.deepEqual(texts(heard.received.map((packet) => openSrtp(stream.crypto, packet))), texts(said[party]));
    }
    await Promise.all([customer.has(20, seller.ssrc), seller.has(20, customer.ssrc)]);
  }

  async function forkTo(recorder: readonly RtpEndpoint[]): Promise<readonly ForkStream[]> {
    const streams = await relay.startFork('call', 'rec', bothParties, soon());
    await relay.answerFork('call', 'rec', relayAnswer(recorder), soon());
    return streams;
  }

  const legs = { 'the customer': [true, 'off'], 'the seller': [false, 'require'], both: [true, 'require'] } as const;
  for (const [who, [customerKeys, sellerTerms]] of Object.entries(legs)) {
    test(`keys at ${who}: the recorder hears both under keys of its own`, async () => {
      const call = await parties();
      await offer(call, customerKeys, sellerTerms);
      await answer(call);
      const recorder = [await endpoint(), await endpoint()];
      await recorded(call, await forkTo(recorder), recorder);
    });
  }

  test('what the recorder reports is counted, and no voice is taken for one that stalls', async () => {
    const call = await parties();
    await offer(call, true, 'off');
    await answer(call);
    const recorder = [await endpoint(), await endpoint()];
    const streams = await relay.startFork('call', 'rec', bothParties, soon());
    const sdp = relayAnswer(recorder);
    await relay.answerFork('call', 'rec', sdp, soon());
    await recorded(call, streams, recorder);
    recorder[0]?.sendTo(streams[0]?.rtcpPort ?? 0, sealedReport(cryptoOf(sdp), 1));
    const told = async () => (await engine.traffic('call', soon())).forks.get('rec');
    await eventually(async () => (await told())?.lines[0]?.returned === 1, 'the report has come');
    const line = { taken: true, failed: 0 };
    assert.deepEqual(await told(), {
      parties: bothParties,
      lines: [
        { ...line, returned: 1 },
        { ...line, returned: 0 },
      ],
    });
  });

  test('a pause stops every packet; the resumed fork has the ports and keys that it had', async () => {
    const call = await parties();
    await offer(call, true, 'off');
    await answer(call);
    const recorder = [await endpoint(), await endpoint()];
    const streams = await forkTo(recorder);
    await recorded(call, streams, recorder);
    await relay.pauseFork('call', 'rec', soon());
    const before = recorder.map(({ received }) => received.length);
    call.customer.send(call.towards.customer, 20);
    await call.seller.has(40, call.customer.ssrc);
    assert.deepEqual(
      recorder.map(({ received }) => received.length),
      before,
    );
    const resumed = await relay.resumeFork('call', 'rec', bothParties, soon());
    assert.deepEqual(resumed, streams);
    await relay.answerFork('call', 'rec', relayAnswer(recorder), soon());
    call.seller.received.length = 0;
    const [customer] = recorder;
    call.customer.send(call.towards.customer, 5);
    await eventually(() => (customer?.received.length ?? 0) >= (before[0] ?? 0) + 5, 'it flows again');
    assert.notEqual(openSrtp(streams[0]?.crypto ?? '', customer?.received.at(-1) ?? Buffer.alloc(0)), undefined);
  });

  test('a fork before the answer, to which the answer brings keys, and a stream that the recorder refuses', async () => {
    const call = await parties();
    await offer(call, false, 'require');
    const recorder = [await endpoint(), await endpoint()];
    await relay.startFork('call', 'rec', bothParties, soon());
    await relay.answerFork('call', 'rec', relayAnswer(recorder), soon());
    await answer(call);
    await recorded(call, await forkTo(recorder), recorder);
    for (const one of recorder) one.received.length = 0;
    await relay.answerFork('call', 'rec', relayAnswer([recorder[0], undefined]), soon());
    call.customer.send(call.towards.customer, 10);
    await recorder[0]?.has(10, call.customer.ssrc);
    assert.equal(recorder[1]?.received.length, 0);
  });

  test('keys that come with a re-INVITE: the fork is made anew with other keys, and no packet of it is ever clear', async () => {
    const call = await parties();
    await offer(call, false, 'off');
    await answer(call);
    const recorder = [await endpoint(), await endpoint()];
    const direct = await forkTo(recorder);
    await recorded(call, direct, recorder);
    const own = newKey();
    const sdp = call.customer.sdp('0', `a=crypto:${own}\r\n`, 'RTP/SAVP');
    call.towards.seller = await relay.updateSession('call', 'customer', sdp, soon());
    call.towards.customer = await relay.answerSession('call', 'seller', call.seller.sdp('0'), soon());
    call.customer.keys = { own, theirs: cryptoOf(call.towards.customer) };
    for (const known of [own, call.customer.keys.theirs]) call.keys.add(keyIn(known));
    const streams = await relay.startFork('call', 'rec', bothParties, soon());
    assert.notDeepEqual(
      streams.map(({ crypto }) => crypto),
      direct.map(({ crypto }) => crypto),
    );
    const before = recorder.map(({ received }) => received.length);
    const heard = call.seller.from(call.customer.ssrc).length;
    call.customer.send(call.towards.customer, 10);
    await call.seller.has(heard + 10, call.customer.ssrc);
    assert.deepEqual(
      recorder.map(({ received }) => received.length),
      before,
      'nothing flows between the offer and the answer',
    );
    await relay.answerFork('call', 'rec', relayAnswer(recorder), soon());
    call.customer.received.length = 0;
    call.seller.received.length = 0;
    await recorded(call, streams, recorder);
  });
});
