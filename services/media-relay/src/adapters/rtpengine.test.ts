// The relay on the real engine: what really comes out of its sockets.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { eventually, type RtpenginePeer, reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import { SidestreamError } from '@sidestream/service';
import { Registry } from 'prom-client';
import { ForkMonitor } from '../domain/fork-monitor.js';
import type { Party } from '../domain/ports.js';
import { Relay } from '../domain/relay.js';
import { bothParties, TestCall } from '../testing/call.js';
import { addressLine, audioPort, recorderSdp } from '../testing/rtp-endpoint.js';
import { soon } from '../testing/soon.js';
import { seededRandom, UdpProxy } from '../testing/udp-proxy.js';
import { NgClient } from './ng-client.js';
import { relayMetrics } from './relay-metrics.js';
import { Rtpengine } from './rtpengine.js';

const skip = await reasonToSkip([startRtpengine]);
const usual = { intervalMs: 1_000, stalledAfterMs: 5_000, silentAfterMs: 30_000 };
const silent = { info: () => undefined, warn: () => undefined };

function hasCode(code: string) {
  return (error: unknown) => error instanceof SidestreamError && error.code === code;
}

describe('on the real rtpengine', { skip }, () => {
  let process: RtpenginePeer;
  let client: NgClient;
  let engine: Rtpengine;
  let relay: Relay;
  const calls: TestCall[] = [];

  before(async () => {
    process = requirePeer(await startRtpengine());
    client = new NgClient({ address: process });
    engine = new Rtpengine(client, 'test');
    relay = new Relay({ engine, maxSessions: 100, log: silent });
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

  async function connect(id: string, payloadTypes?: string): Promise<TestCall> {
    const call = await TestCall.connect(relay, id, payloadTypes);
    calls.push(call);
    return call;
  }

  test('both parties hear each other, and the end counts what they sent', async () => {
    const call = await connect('call-1');
    await call.talk(20);
    assert.deepEqual((await relay.closeSession('call-1'))?.received, [
      { party: 'customer', packets: 20, bytes: 20 * 172 },
      { party: 'seller', packets: 20, bytes: 20 * 172 },
    ]);
    assert.equal(await relay.closeSession('call-1'), undefined);
    assert.deepEqual(await engine.list(soon()), { sessions: [], remains: [], complete: true });
  });

  test('packets lost on the way to a party, and how it sounds there, are told at the end where its RTCP says so', async () => {
    const call = await connect('lossy');
    await call.talk(20);
    const measured = new Registry();
    relayMetrics(measured, relay, new ForkMonitor({ engine, relay, log: silent, ...usual }));
    await eventually(async () => {
      // The score needs the round trips of both sides.
      call.customer.sendReport(call.towardsCustomer, { ssrc: call.seller.ssrc, lost: 3 });
      call.seller.sendReport(call.towardsSeller, { ssrc: call.customer.ssrc, lost: 5 });
      return (await engine.traffic('lossy', soon())).receptions.length === 2;
    }, 'the engine has understood the reports');
    await relay.closeSession('lossy');
    const text = await measured.metrics();
    assert.match(text, /^sidestream_media_packets_lost_total 8$/m);
    const [, mos] = /^sidestream_media_mos_sum ([\d.]+)$/m.exec(text) ?? [];
    assert.ok(Number(mos) >= 2 && Number(mos) <= 10, text);
    assert.match(text, /^sidestream_media_mos_count 2$/m);
  });

  test('the seller may be the one who calls', async () => {
    const call = await connect('unused');
    const offer = await relay.openSession('outbound', 'seller', call.seller.sdp('0'), soon());
    const answer = await relay.answerSession('outbound', 'customer', call.customer.sdp('0'), soon());
    call.towardsCustomer = offer;
    call.towardsSeller = answer;
    await call.talk();
    const [first] = await relay.startFork('outbound', 'f', ['customer', 'seller'], soon());
    assert.equal(first?.party, 'customer');
  });

  test('a fork offers one secure stream per party, in the order asked, with RTCP on its own port', async () => {
    await connect('call-2', '0 8');
    for (const parties of [bothParties, [...bothParties].reverse()]) {
      const streams = await relay.startFork('call-2', parties.join('-'), parties, soon());
      assert.deepEqual(
        streams.map((stream) => stream.party),
        parties,
      );
      for (const stream of streams) {
        assert.equal(stream.address, '127.0.0.1');
        assert.equal(stream.rtcpPort, stream.port + 1);
        assert.match(stream.crypto, /^1 AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{40}$/);
        assert.deepEqual(stream.payloadTypes, [0, 8]);
      }
      assert.notEqual(streams[0]?.crypto, streams[1]?.crypto);
    }
  });

  test('each party arrives on its own stream, encrypted, and nothing before the answer', async () => {
    const call = await connect('call-3');
    const recorder = await call.recorder();
    await relay.startFork('call-3', 'rec', bothParties, soon());
    await call.talk();
    await relay.answerFork('call-3', 'rec', recorderSdp(recorder), soon());
    const said = await call.talk(20);
    for (const [index, party] of bothParties.entries()) {
      const [endpoint, own, others] = [recorder[index], call[party], said[party]];
      assert.ok(endpoint);
      await endpoint.has(20, own.ssrc);
      assert.equal(endpoint.received.length, 20, 'nothing of the other party, nothing from before the answer');
      for (const [n, packet] of endpoint.from(own.ssrc).entries()) {
        assert.equal(packet.length, 12 + 160 + 10);
        assert.notDeepEqual(packet.subarray(12, 172), others[n]);
      }
    }
  });

  test('pause: not one packet after it returned; resume: same ports and keys; the call hears no difference', async () => {
    const call = await connect('call-4');
    const recorder = await call.recorder();
    const offered = await call.fork('rec', recorder);
    await call.talk(10);
    await recorder[0].has(10, call.customer.ssrc);
    await recorder[1].has(10, call.seller.ssrc);
    await relay.pauseFork('call-4', 'rec', soon());
    await relay.pauseFork('call-4', 'rec', soon());
    await call.talk(30);
    await assert.rejects(relay.answerFork('call-4', 'rec', recorderSdp(recorder), soon()), hasCode('bad-request'));
    assert.deepEqual(
      recorder.map((endpoint) => endpoint.received.length),
      [10, 10],
    );
    assert.deepEqual(await relay.resumeFork('call-4', 'rec', bothParties, soon()), offered);
    await relay.answerFork('call-4', 'rec', recorderSdp(recorder), soon());
    await call.talk(10);
    await recorder[0].has(20, call.customer.ssrc);
    await recorder[1].has(20, call.seller.ssrc);
  });

  test('an answer in clear is refused before the engine hears of it, and not one packet leaves', async () => {
    const call = await connect('call-5');
    const recorder = await call.recorder();
    await relay.startFork('call-5', 'rec', bothParties, soon());
    const inClear = recorderSdp(recorder, 'RTP/AVP');
    await assert.rejects(relay.answerFork('call-5', 'rec', inClear, soon()), hasCode('recorder-answer-unusable'));
    await call.talk(20);
    assert.equal(recorder[0].received.length + recorder[1].received.length, 0);
    assert.deepEqual(relay.sessions()[0]?.forks.size, 0, 'the fork is not left half');
    // A new attempt with a good answer works.
    await call.fork('rec', recorder);
    await call.talk(5);
    await recorder[1].has(5, call.seller.ssrc);
  });

  test('an answer that the engine refuses leaves no fork', async () => {
    const call = await connect('call-6');
    const recorder = await call.recorder();
    await relay.startFork('call-6', 'rec', bothParties, soon());
    const badAddress = recorderSdp(recorder).replace('c=IN IP4 127.0.0.1', 'c=IN IP4 nowhere');
    await assert.rejects(relay.answerFork('call-6', 'rec', badAddress, soon()), hasCode('recorder-answer-unusable'));
    assert.equal(relay.forkCount, 0);
    assert.equal(await relay.stopFork('call-6', 'rec', soon()), false);
  });

  test('a recorder that answers inactive gets nothing, and its stream when it wants it', async () => {
    const call = await connect('call-7');
    const recorder = await call.recorder();
    await relay.startFork('call-7', 'rec', bothParties, soon());
    await relay.answerFork('call-7', 'rec', recorderSdp(recorder, 'RTP/SAVP', 'inactive'), soon());
    await call.talk(20);
    assert.equal(recorder[0].received.length + recorder[1].received.length, 0);
    await relay.answerFork('call-7', 'rec', recorderSdp(recorder), soon());
    await call.talk(5);
    await recorder[0].has(5, call.customer.ssrc);
  });

  test("a party's RTCP reaches the recorder's RTCP port as SRTCP", async () => {
    const call = await connect('rtcp');
    const recorder = await call.recorder();
    const [partyRtcp, recorderRtcp] = await call.recorder();
    const withRtcp = call.customer.sdp('0', `a=rtcp:${partyRtcp.port}\r\n`);
    await relay.updateSession('rtcp', 'customer', withRtcp, soon());
    const towards = await relay.answerSession('rtcp', 'seller', call.seller.sdp('0'), soon());
    await relay.startFork('rtcp', 'rec', bothParties, soon());
    const answer = recorderSdp(recorder).replace('a=recvonly', `a=rtcp:${recorderRtcp.port}\r\na=recvonly`);
    await relay.answerFork('rtcp', 'rec', answer, soon());
    partyRtcp.sendReport(towards);
    await eventually(() => recorderRtcp.received.length > 0, 'the report');
    const report = recorderRtcp.received[0];
    assert.equal(report?.[1], 200);
    assert.deepEqual(report?.subarray(4, 8), partyRtcp.ssrc, 'the SSRC of the party');
    // RFC 3711 §3.4: E flag and index, then the authentication tag.
    assert.equal(report?.length, 28 + 4 + 10);
    assert.equal(recorder[0].received.length, 0);
  });

  test('two forks are independent; stopping one twice is no error', async () => {
    const call = await connect('call-8');
    const [first, second] = [await call.recorder(), await call.recorder()];
    const keys = [await call.fork('one', first), await call.fork('two', second)].flat().map((stream) => stream.crypto);
    assert.equal(new Set(keys).size, 4, 'every stream of every fork has its own key');
    assert.equal(await relay.stopFork('call-8', 'one', soon()), true);
    assert.equal(await relay.stopFork('call-8', 'one', soon()), false);
    await call.talk(10);
    await second[0].has(10, call.customer.ssrc);
    assert.equal(first[0].received.length, 0);
  });

  for (const party of ['customer', 'seller'] satisfies Party[]) {
    test(`re-INVITE by the ${party} to a new address: the call and the fork follow`, async () => {
      const call = await connect(`reinvite-${party}`);
      const recorder = await call.recorder();
      await call.fork('rec', recorder);
      await call.talk(5);
      const other = party === 'customer' ? 'seller' : 'customer';
      const [moved] = await call.recorder();
      await relay.updateSession(call.id, party, moved.sdp('0'), soon());
      const towardsMoved = await relay.answerSession(call.id, other, call[other].sdp('0'), soon());
      moved.send(towardsMoved, 5);
      await call[other].has(5, moved.ssrc);
      await (party === 'customer' ? recorder[0] : recorder[1]).has(5, moved.ssrc);
    });
  }

  test('hold and resume: addresses stay, the fork goes on', async () => {
    const call = await connect('hold');
    const recorder = await call.recorder();
    await call.fork('rec', recorder);
    const held = await relay.updateSession('hold', 'seller', call.seller.sdp('0', 'a=sendonly\r\n'), soon());
    assert.match(held, /^a=sendonly/m);
    await relay.answerSession('hold', 'customer', call.customer.sdp('0', 'a=recvonly\r\n'), soon());
    const resumed = await relay.updateSession('hold', 'seller', call.seller.sdp('0', 'a=sendrecv\r\n'), soon());
    const answer = await relay.answerSession('hold', 'customer', call.customer.sdp('0', 'a=sendrecv\r\n'), soon());
    assert.equal(audioPort(held), audioPort(resumed));
    assert.equal(addressLine(answer), addressLine(call.towardsSeller));
    await call.talk(5);
    await recorder[0].has(5, call.customer.ssrc);
    await recorder[1].has(5, call.seller.ssrc);
  });

  test('the far side refused a re-INVITE: the next one, of either party, goes through', async () => {
    const call = await connect('refused');
    await relay.updateSession('refused', 'customer', call.customer.sdp('8'), soon());
    await relay.updateSession('refused', 'seller', call.seller.sdp('0'), soon());
    await relay.answerSession('refused', 'customer', call.customer.sdp('0'), soon());
    await call.talk(5);
  });

  test('codec change: the same fork, started again, offers the new payload type on the same ports and keys', async () => {
    const call = await connect('codec');
    const recorder = await call.recorder();
    const before = await call.fork('rec', recorder);
    await relay.updateSession('codec', 'customer', call.customer.sdp('8'), soon());
    await relay.answerSession('codec', 'seller', call.seller.sdp('8'), soon());
    const renewed = await call.fork('rec', recorder);
    assert.ok(renewed.every((stream) => stream.payloadTypes.includes(8)));
    assert.deepEqual(
      renewed.map(({ port, crypto }) => ({ port, crypto })),
      before.map(({ port, crypto }) => ({ port, crypto })),
    );
    await call.talk(5, 8);
    await recorder[0].has(5, call.customer.ssrc);
    assert.equal((recorder[0].from(call.customer.ssrc)[0]?.[1] ?? 0) & 0x7f, 8);
  });

  test("RFC 3264 §6: a party's video is refused in its place and neither offered to the other party nor forked", async () => {
    const call = await connect('video');
    const video = 'm=video 40000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n';
    const media = (sdp: string) => sdp.match(/^m=\w+ (0 )?/gm)?.map((line) => line.trim());
    const offered = call.customer.sdp('0').replace('m=audio', `${video}m=audio`);
    call.towardsSeller = await relay.updateSession('video', 'customer', offered, soon());
    assert.deepEqual(media(call.towardsSeller), ['m=audio']);
    call.towardsCustomer = await relay.answerSession('video', 'seller', call.seller.sdp('0'), soon());
    assert.deepEqual(media(call.towardsCustomer), ['m=video 0', 'm=audio']);
    // §8: a later offer of the seller's has its place for the video as well, and the answer picks the audio.
    assert.deepEqual(media(await relay.updateSession('video', 'seller', call.seller.sdp('0'), soon())), [
      'm=video 0',
      'm=audio',
    ]);
    const answer = call.customer.sdp('0').replace('m=audio', 'm=video 0 RTP/AVP 96\r\nm=audio');
    assert.deepEqual(media(await relay.answerSession('video', 'customer', answer, soon())), ['m=audio']);
    const recorder = await call.recorder();
    assert.equal((await call.fork('rec', recorder)).length, 2);
    await call.talk(5);
    await recorder[0].has(5, call.customer.ssrc);
    await recorder[1].has(5, call.seller.ssrc);
  });

  test('symmetric RTP: a party behind a NAT is sent to where its packets come from, whatever its description says', async () => {
    const call = await connect('nat');
    const inside = call.customer
      .sdp('0')
      .replaceAll('127.0.0.1', '10.77.0.5')
      .replace(/^m=audio \d+/m, 'm=audio 4000');
    call.towardsSeller = await relay.updateSession('nat', 'customer', inside, soon());
    call.towardsCustomer = await relay.answerSession('nat', 'seller', call.seller.sdp('0'), soon());
    call.customer.send(call.towardsCustomer, 1);
    await call.seller.has(1, call.customer.ssrc);
    await call.talk(20);
  });

  test('of two branches that answered one after the other the last one is heard, and hears', async () => {
    const call = await connect('forked');
    const second = await call.recorder();
    const [other] = second;
    await call.talk(5);
    call.towardsCustomer = await relay.answerSession('forked', 'seller', other.sdp('0'), soon());
    // What the first one still sends does not draw the customer's voice back to it.
    call.customer.send(call.towardsCustomer, 5);
    await other.has(5, call.customer.ssrc);
    call.seller.send(call.towardsSeller, 3);
    await call.customer.has(8, call.seller.ssrc);
    other.send(call.towardsSeller, 5);
    await call.customer.has(5, other.ssrc);
    const before = call.seller.from(call.customer.ssrc).length;
    call.customer.send(call.towardsCustomer, 5);
    await other.has(10, call.customer.ssrc);
    assert.equal(call.seller.from(call.customer.ssrc).length, before);
  });

  test('a branch behind a NAT that answers after long early media of another one is learned all the same', async () => {
    const call = await connect('late-branch');
    const [other] = await call.recorder();
    // The engine makes up its mind where a party is three seconds after the last description.
    const until = Date.now() + 4_500;
    await eventually(() => {
      call.seller.send(call.towardsSeller, 1);
      return Date.now() > until;
    }, 'the first branch has been heard for long');
    const inside = other
      .sdp('0')
      .replaceAll('127.0.0.1', '10.77.0.5')
      .replace(/^m=audio \d+/m, 'm=audio 4000');
    call.towardsCustomer = await relay.answerSession('late-branch', 'seller', inside, soon());
    other.send(call.towardsSeller, 1);
    await call.customer.has(1, other.ssrc);
    call.customer.send(call.towardsCustomer, 5);
    await other.has(5, call.customer.ssrc);
  });

  test('silence is counted in seconds, from the last packet of either party, forks or not', async () => {
    const call = await connect('silent');
    const recorder = await call.recorder();
    await call.fork('rec', recorder);
    await eventually(async () => (await engine.silentSeconds('silent', soon())) >= 2, 'nobody has spoken');
    call.customer.send(call.towardsCustomer, 1);
    await eventually(async () => (await engine.silentSeconds('silent', soon())) === 0, 'somebody has');
  });

  test('an order that changed is refused', async () => {
    await connect('order');
    await relay.startFork('order', 'rec', bothParties, soon());
    const reversed = [...bothParties].reverse();
    await assert.rejects(relay.startFork('order', 'rec', reversed, soon()), hasCode('bad-request'));
  });

  test('an offer that is no SDP leaves nothing behind', async () => {
    await assert.rejects(relay.openSession('bad', 'customer', 'nonsense', soon()), hasCode('not-acceptable-here'));
    await eventually(() => relay.sessionCount === 0, 'it was cleaned up');
    assert.deepEqual((await engine.list(soon())).sessions, []);
  });

  test('sessions of other relays are not listed', async () => {
    await connect('mine');
    assert.deepEqual((await new Rtpengine(client, 'tes').list(soon())).sessions, []);
    assert.deepEqual((await engine.list(soon())).sessions, ['mine']);
  });

  test('20 % loss each way: forty recorded calls are set up and ended without a trace', async () => {
    const random = seededRandom(7);
    const proxy = await UdpProxy.open(process.port, () => (random() < 0.2 ? [] : [0]));
    const lossyClient = new NgClient({ address: { host: '127.0.0.1', port: proxy.port }, deadlineMs: 30_000 });
    const lossy = new Rtpengine(lossyClient, 'lossy');
    const one = async (id: string) => {
      const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
      await lossy.offer(id, 'customer', sdp, { answered: false, srtp: 'off', transcode: [] }, soon(60_000));
      await lossy.answer(id, 'seller', sdp, soon(60_000));
      assert.equal(
        (await lossy.offerFork(id, { id: 'rec', sealed: false }, bothParties, undefined, soon(60_000))).streams.length,
        2,
      );
      await lossy.close(id, soon(60_000));
    };
    // Twenty at a time: the test's media ports are few.
    for (const round of [0, 1]) await Promise.all(Array.from({ length: 20 }, (_, n) => one(`lossy-${round}-${n}`)));
    assert.deepEqual((await new Rtpengine(client, 'lossy').list(soon())).sessions, []);
    await lossyClient.close();
    proxy.close();
  });

  test("at the log level that README.md asks for, the engine's log holds no key, not even of refused answers", () => {
    assert.doesNotMatch(process.output(), /inline:/);
  });
});
