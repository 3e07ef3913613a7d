import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { transcodeG711 } from '../rtp/g711.js';
import { comparePackets } from '../rtp/packet-comparison.js';
import { readWav } from '../rtp/wav.js';
import { customerSpeech, sellerSpeech } from '../voices.js';
import type { PartyCall } from './party-call.js';
import type { PartyOptions } from './party-options.js';
import { PartySimulator } from './party-simulator.js';

const HOST = '127.0.0.1';

interface Pair {
  customer: PartySimulator;
  seller: PartySimulator;
  sellerUri: string;
}

async function withPair(
  protocol: 'udp' | 'tcp',
  options: { customer?: Partial<PartyOptions>; seller?: Partial<PartyOptions> },
  body: (pair: Pair) => Promise<void>,
): Promise<void> {
  const listen = { protocol, host: HOST };
  const customer = await PartySimulator.start({
    name: 'Customer',
    uri: `sip:customer@${HOST}`,
    listen,
    wav: customerSpeech,
    ...options.customer,
  });
  const seller = await PartySimulator.start({
    name: 'Seller',
    uri: `sip:seller@${HOST}`,
    listen,
    wav: sellerSpeech,
    ...options.seller,
  });
  try {
    await body({ customer, seller, sellerUri: `sip:seller@${HOST}:${seller.address.port}` });
    assert.deepEqual([customer.calls.length, seller.calls.length], [0, 0]);
  } finally {
    await Promise.all([customer.close(), seller.close(), seller.close()]);
  }
}

/** Places a call and gives both ends of it. */
async function connect({ customer, seller, sellerUri }: Pair): Promise<[placed: PartyCall, received: PartyCall]> {
  const coming = once(seller, 'call') as Promise<[PartyCall]>;
  const placed = await customer.call(sellerUri);
  const [received] = await coming;
  await Promise.all([placed.answered, received.answered]);
  return [placed, received];
}

/** Resolves when the call has heard this many packets; the test's own time limit bounds it. */
async function hears(call: PartyCall, packets: number): Promise<void> {
  while (call.statistics.received < packets) await new Promise((resolve) => setTimeout(resolve, 5));
}

for (const protocol of ['udp', 'tcp'] as const) {
  test(`two parties talk over ${protocol}: what each hears is what the other said, packet for packet`, {
    timeout: 20_000,
  }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sidestream-party-'));
    try {
      const recordTo = () => join(directory, 'heard.wav');
      await withPair(protocol, { customer: { recordTo } }, async (pair) => {
        const [placed, received] = await connect(pair);
        await Promise.all([hears(placed, 50), hears(received, 50)]);
        // Nobody says anything any more: what was said arrives before the end.
        await placed.hold();
        await Promise.all([hears(placed, received.sent.length), hears(received, placed.sent.length)]);
        assert.deepEqual(await placed.hangUp(), { by: 'local' });
        assert.deepEqual(await received.ended, { by: 'remote' });
        for (const [from, to] of [
          [placed, received],
          [received, placed],
        ] as const) {
          const result = comparePackets(from.sent, to.received);
          assert.ok(result.identical && result.packetsSent >= 40, JSON.stringify(result));
        }
        assert.ok((placed.postDialDelayMs ?? -1) >= 0);
        const heard = readWav(await readFile(recordTo()));
        const said = readWav(await readFile(sellerSpeech));
        assert.deepEqual(heard.data.subarray(0, 40 * 160), said.data.subarray(0, 40 * 160));
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

test('the law is negotiated: a party that takes only A-law hears A-law', { timeout: 20_000 }, async () => {
  await withPair('udp', { seller: { codec: 'PCMA', onlyCodec: true } }, async (pair) => {
    const [placed, received] = await connect(pair);
    await Promise.all([hears(placed, 10), hears(received, 10)]);
    await received.hangUp();
    await placed.ended;
    const said = readWav(await readFile(customerSpeech)).data;
    for (const [index, packet] of received.received.slice(0, 10).entries()) {
      assert.equal(packet.payloadType, 8);
      assert.deepEqual(packet.payload, transcodeG711('PCMU', 'PCMA', said.subarray(160 * index, 160 * (index + 1))));
    }
  });
});

test('hold stops speech on both sides, resume brings it back with a gap in the timestamps', {
  timeout: 20_000,
}, async () => {
  await withPair('udp', {}, async (pair) => {
    const [placed, received] = await connect(pair);
    await Promise.all([hears(placed, 10), hears(received, 10)]);
    await placed.hold();
    const [sentAtHold, otherAtHold] = [placed.sent.length, received.sent.length];
    // A quarter of a second of hold, measured by the clock of the events rather than by packets that must not come.
    const resumed = new Promise<void>((resolve, reject) => {
      setTimeout(() => {
        assert.equal(placed.sent.length, sentAtHold);
        assert.equal(received.sent.length, otherAtHold);
        placed.resume().then(resolve, reject);
      }, 250);
    });
    await resumed;
    await hears(received, sentAtHold + 10);
    await hears(placed, otherAtHold + 10);
    const [before, after] = received.received.slice(sentAtHold - 1, sentAtHold + 1);
    assert.ok(before && after);
    assert.equal((after.sequenceNumber - before.sequenceNumber) & 0xffff, 1);
    assert.ok((after.timestamp - before.timestamp) >>> 0 >= 160 * 10);
    await placed.hangUp();
    await received.ended;
  });
});

test('a refused call tells the status', { timeout: 20_000 }, async () => {
  await withPair('udp', { seller: { incoming: { ringMs: 20, rejectWith: 486 } } }, async ({ customer, sellerUri }) => {
    const call = await customer.call(sellerUri);
    await assert.rejects(call.answered, { code: 'rejected', status: 486 });
    const end = await call.ended;
    assert.deepEqual([end.by, end.status], ['rejected', 486]);
    assert.ok(call.moments.ringingAt !== undefined);
  });
});

test('RFC 3261 §9: a call that rings is cancelled, and the other side knows', { timeout: 20_000 }, async () => {
  await withPair('tcp', { seller: { incoming: { neverAnswer: true } } }, async ({ customer, seller, sellerUri }) => {
    const coming = once(seller, 'call') as Promise<[PartyCall]>;
    const call = await customer.call(sellerUri);
    const [received] = await coming;
    await once(call, 'ringing');
    assert.equal((await call.cancel()).by, 'cancelled');
    assert.equal((await received.ended).by, 'cancelled');
  });
});

test('a call that is not answered in time is given up, and one is hung up after its time', {
  timeout: 20_000,
}, async () => {
  await withPair('udp', { seller: { incoming: { neverAnswer: true } } }, async ({ customer, seller, sellerUri }) => {
    const unanswered = await customer.call(sellerUri, { answerTimeoutMs: 300 });
    assert.equal((await unanswered.ended).by, 'error');
    seller.incoming = { ringMs: 0 };
    const short = await customer.call(sellerUri, { hangUpAfterMs: 100 });
    await short.answered;
    assert.equal((await short.ended).by, 'local');
    await Promise.all(seller.calls.map((call) => call.ended));
  });
});

test('nobody there: the call ends with an error, and closing a party ends its calls', { timeout: 60_000 }, async () => {
  await withPair('tcp', {}, async (pair) => {
    const nobody = await pair.customer.call(`sip:x@${HOST}:1`);
    await assert.rejects(nobody.answered);
    assert.equal((await nobody.ended).by, 'error');
    const [placed, received] = await connect(pair);
    await pair.customer.close();
    assert.equal((await placed.ended).by, 'local');
    assert.equal((await received.ended).by, 'remote');
  });
});
