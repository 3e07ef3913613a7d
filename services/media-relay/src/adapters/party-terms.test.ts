// What the parties' terms do on the real engine: SRTP on either leg (RFC 4568, RFC 8643), codecs, DTMF.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { eventually, type RtpenginePeer, reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import type { Party, PartyTerms } from '../domain/ports.js';
import { Relay } from '../domain/relay.js';
import { RtpEndpoint } from '../testing/rtp-endpoint.js';
import { soon } from '../testing/soon.js';
import { NgClient } from './ng-client.js';
import { Rtpengine } from './rtpengine.js';

const skip = await reasonToSkip([startRtpengine]);
const silent = { info: () => undefined, warn: () => undefined };
const events = 'a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n';

function newKey(): string {
  return `1 AES_CM_128_HMAC_SHA1_80 inline:${randomBytes(30).toString('base64')}`;
}

function cryptoOf(sdp: string): string {
  return /^a=crypto:(.*?)\r?$/m.exec(sdp)?.[1] ?? '';
}

function protocolOf(sdp: string): string | undefined {
  return /^m=audio \d+ (\S+)/m.exec(sdp)?.[1];
}

describe("the parties' terms on the real rtpengine", { skip }, () => {
  let process: RtpenginePeer;
  let client: NgClient;
  let relay: Relay;
  let customer: RtpEndpoint;
  let seller: RtpEndpoint;

  before(async () => {
    process = requirePeer(await startRtpengine());
    client = new NgClient({ address: process });
    relay = new Relay({ engine: new Rtpengine(client, 'terms'), maxSessions: 100, log: silent });
    relay.setEngineProblem(undefined);
    customer = await RtpEndpoint.open();
    seller = await RtpEndpoint.open();
  });
  afterEach(async () => {
    customer.close();
    seller.close();
    customer = await RtpEndpoint.open();
    seller = await RtpEndpoint.open();
    await relay.closeAll();
  });
  after(async () => {
    customer?.close();
    seller?.close();
    await client?.close();
    await process?.stop();
  });

  function open(sdp: string, terms: Partial<Record<Party, Partial<PartyTerms>>>): Promise<string> {
    const whole = Object.fromEntries(
      Object.entries(terms).map(([party, own]) => [party, { codecs: [], srtp: 'off' as const, ...own }]),
    );
    return relay.openSession('call', 'customer', sdp, soon(), whole);
  }

  /** Each hears every payload of the other, as it was sent. */
  async function talk(towards: Record<Party, string>, payloadType = 0): Promise<void> {
    const said = {
      customer: customer.send(towards.customer, 20, payloadType),
      seller: seller.send(towards.seller, 20, payloadType),
    };
    await Promise.all([customer.has(20, seller.ssrc), seller.has(20, customer.ssrc)]);
    const texts = (payloads: Buffer[]) => payloads.map((one) => one.toString('hex')).sort();
    const heard = (packets: Buffer[]) => texts(packets.map((packet) => packet.subarray(12)));
    assert.deepEqual(heard(customer.from(seller.ssrc)), texts(said.seller));
    assert.deepEqual(heard(seller.from(customer.ssrc)), texts(said.customer));
    assert.deepEqual([customer.refused, seller.refused], [0, 0]);
  }

  test('plain RTP here, SRTP there: one suite is offered, and each hears the other', async () => {
    const offered = await open(customer.sdp('0'), { seller: { srtp: 'require' } });
    assert.equal(protocolOf(offered), 'RTP/SAVP');
    assert.deepEqual(offered.match(/^a=crypto:\d+ \S+/gm), ['a=crypto:1 AES_CM_128_HMAC_SHA1_80']);
    const own = newKey();
    seller.keys = { own, theirs: cryptoOf(offered) };
    const answer = seller.sdp('0', `a=crypto:${own}\r\n`, 'RTP/SAVP');
    const answered = await relay.answerSession('call', 'seller', answer, soon());
    assert.equal(protocolOf(answered), 'RTP/AVP');
    assert.doesNotMatch(answered, /a=crypto/);
    await talk({ customer: answered, seller: offered });
  });

  test('an offer with keys is always understood: SRTP here, plain RTP there', async () => {
    const own = newKey();
    const offered = await open(customer.sdp('0', `a=crypto:${own}\r\n`, 'RTP/SAVP'), {});
    assert.equal(protocolOf(offered), 'RTP/AVP');
    assert.doesNotMatch(offered, /a=crypto/);
    const answered = await relay.answerSession('call', 'seller', seller.sdp('0'), soon());
    assert.equal(protocolOf(answered), 'RTP/SAVP');
    customer.keys = { own, theirs: cryptoOf(answered) };
    await talk({ customer: answered, seller: offered });
  });

  for (const takes of [true, false]) {
    test(`RFC 8643: a party that is offered both ${takes ? 'takes' : 'leaves'} the keys`, async () => {
      const offered = await open(customer.sdp('0'), { seller: { srtp: 'offer' } });
      assert.equal(protocolOf(offered), 'RTP/AVP');
      assert.deepEqual(offered.match(/^a=crypto:\d+ \S+/gm), ['a=crypto:1 AES_CM_128_HMAC_SHA1_80']);
      const own = newKey();
      if (takes) seller.keys = { own, theirs: cryptoOf(offered) };
      const answer = seller.sdp('0', takes ? `a=crypto:${own}\r\n` : '');
      const answered = await relay.answerSession('call', 'seller', answer, soon());
      assert.doesNotMatch(answered, /a=crypto/);
      await talk({ customer: answered, seller: offered });
    });
  }

  test('RFC 8643: who offers plain RTP with keys gets keys, whatever the other party has', async () => {
    const own = newKey();
    const offered = await open(customer.sdp('0', `a=crypto:${own}\r\n`), {});
    assert.doesNotMatch(offered, /a=crypto/);
    const answered = await relay.answerSession('call', 'seller', seller.sdp('0'), soon());
    customer.keys = { own, theirs: cryptoOf(answered) };
    await talk({ customer: answered, seller: offered });
  });

  test('SRTP on both legs, with suites of the offerer that we would not offer', async () => {
    const own = newKey().replace('1 AES', '7 AES');
    const offered = await open(customer.sdp('0', `a=crypto:${own}\r\n`, 'RTP/SAVP'), { seller: { srtp: 'require' } });
    const line = offered.match(/^a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 .*$/m)?.[0] ?? '';
    const answering = newKey().replace(/^1/, line.match(/\d+/)?.[0] ?? '');
    seller.keys = { own: answering, theirs: cryptoOf(line) };
    const answer = seller.sdp('0', `a=crypto:${answering}\r\n`, 'RTP/SAVP');
    const answered = await relay.answerSession('call', 'seller', answer, soon());
    customer.keys = { own, theirs: cryptoOf(answered) };
    await talk({ customer: answered, seller: offered });
  });

  test('a party of which SRTP is required gets no packet without it: its plain offers and answers are refused', async () => {
    const wanted = { code: 'not-acceptable-here', message: /SRTP with SDES keys/ };
    await assert.rejects(open(customer.sdp('0'), { customer: { srtp: 'require' } }), wanted);
    await eventually(() => relay.sessionCount === 0, 'nothing of it is left');
    await open(customer.sdp('0'), { seller: { srtp: 'require' } });
    await assert.rejects(relay.answerSession('call', 'seller', seller.sdp('0'), soon()), wanted);
  });

  test("codecs in common pass as they are, in the other party's order; DTMF events with them (RFC 4733)", async () => {
    const codecs = ['PCMA', 'PCMU', 'telephone-event'];
    const offered = await open(customer.sdp('9 0 8 101', events), { seller: { codecs } });
    assert.match(offered, /^m=audio \d+ RTP\/AVP 8 0 101\r$/m);
    const answered = await relay.answerSession('call', 'seller', seller.sdp('8 101', events), soon());
    await talk({ customer: answered, seller: offered }, 8);
    customer.sendDigit(answered, 101);
    seller.sendDigit(offered, 101);
    for (const party of [customer, seller])
      await eventually(() => party.byPayloadType()[101] === 6, 'the digit has come whole');
  });

  test('without a codec in common the engine translates both ways, and the digits pass', async () => {
    const offered = await open(customer.sdp('0 101', events), { seller: { codecs: ['PCMA', 'telephone-event'] } });
    assert.match(offered, /^m=audio \d+ RTP\/AVP 8 101\r$/m);
    const answered = await relay.answerSession('call', 'seller', seller.sdp('8 101', events), soon());
    assert.match(answered, /^m=audio \d+ RTP\/AVP 0 101\r$/m);
    customer.send(answered, 20, 0);
    seller.send(offered, 20, 8);
    await eventually(() => (seller.byPayloadType()[8] ?? 0) >= 18, 'A-law arrives');
    await eventually(() => (customer.byPayloadType()[0] ?? 0) >= 18, 'µ-law arrives');
    assert.deepEqual([seller.byPayloadType()[0], customer.byPayloadType()[8]], [undefined, undefined]);
    customer.sendDigit(answered, 101);
    await eventually(() => (seller.byPayloadType()[101] ?? 0) >= 4, 'the digit has come');
    // A hold by the other party: who could not do without the translation gets it again.
    const hold = await relay.updateSession('call', 'seller', seller.sdp('8 101', `${events}a=sendonly\r\n`), soon());
    assert.match(hold, /^m=audio \d+ RTP\/AVP 0 101\r$/m);
    const held = await relay.answerSession(
      'call',
      'customer',
      customer.sdp('0 101', `${events}a=recvonly\r\n`),
      soon(),
    );
    assert.match(held, /^m=audio \d+ RTP\/AVP 8 101\r$/m);
    const before = customer.byPayloadType()[0] ?? 0;
    seller.send(held, 10, 8);
    await eventually(() => (customer.byPayloadType()[0] ?? 0) >= before + 8, 'it is translated as before');
  });
});
