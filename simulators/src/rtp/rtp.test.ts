import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import { PACKET_MS, PacedSender, type SentPacket } from './paced-sender.js';
import { PacketRing } from './packet-ring.js';
import { PortPair } from './port-pair.js';
import { Reception } from './reception.js';
import { readSenderReport, rtcpTypes, writeReceiverReport, writeSenderReport } from './rtcp.js';
import { parseRtp, parseRtpHeader, writeRtp } from './rtp-packet.js';
import { speechSource } from './speech-source.js';

const header = (sequenceNumber: number, timestamp = 0) => ({
  marker: false,
  payloadType: 0,
  sequenceNumber,
  timestamp,
  ssrc: 9,
});

test('RFC 3550 §5.1: every packet that is written is parsed again', () => {
  const fields = {
    marker: fc.boolean(),
    payloadType: fc.integer({ min: 0, max: 127 }),
    sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
    timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
    ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  };
  fc.assert(fc.property(fc.record(fields), (packet) => assert.deepEqual(parseRtp(writeRtp(packet)), { ...packet })));
});

test('RFC 3550 §5.1: contributing sources, extension and padding are skipped; arbitrary bytes never throw', () => {
  const extended = Buffer.from('b181000100000002000000030000000400ff00010000000561620002', 'hex');
  assert.equal(parseRtp(extended)?.payload.toString(), 'ab');
  assert.equal(parseRtpHeader(extended)?.headerLength, 24);
  const badPadding = Buffer.from(extended);
  badPadding.writeUInt8(9, badPadding.length - 1);
  assert.equal(parseRtp(badPadding), undefined);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void parseRtp(Buffer.from(bytes))));
});

test('RFC 3550 appendix A: loss, duplicates and reordering are told apart, across a wrap', () => {
  const reception = new Reception(header(0xfffe));
  const arrivals = [0xfffe, 0xffff, 1, 0, 0, 1, 4].map((sequence, index) =>
    reception.add(header(sequence & 0xffff), index * 20),
  );
  assert.deepEqual(arrivals, ['new', 'new', 'new', 'reordered', 'duplicate', 'duplicate', 'new']);
  const { received, lost, duplicates, reordered, highestSequence } = reception;
  assert.deepEqual({ received, lost, duplicates, reordered }, { received: 5, lost: 2, duplicates: 2, reordered: 1 });
  assert.equal(highestSequence, 0x1_0004);
  assert.equal(reception.report().fractionLost, Math.floor((2 * 256) / 7));
  assert.equal(reception.report().fractionLost, 0);
});

test('a packet from before the first one does not hide a loss', () => {
  const reception = new Reception(header(10));
  for (const sequence of [10, 9, 12]) reception.add(header(sequence), 0);
  assert.deepEqual([reception.received, reception.lost, reception.reordered], [2, 1, 1]);
});

test('RFC 3550 A.8: evenly spaced packets have no jitter, a late one has', () => {
  const reception = new Reception(header(0));
  for (let i = 0; i < 10; i += 1) reception.add(header(i, (0xffff_ffff - 320 + i * 160) >>> 0), i * 20);
  assert.equal(reception.report().jitter, 0);
  reception.add(header(10, (0xffff_ffff - 320 + 1_600) >>> 0), 300);
  assert.equal(reception.report().jitter, 50);
});

test('RFC 3550 §6.1: a receiver report is a well-formed compound packet with a CNAME', () => {
  const block = { ssrc: 9, fractionLost: 12, cumulativeLost: 3, highestSequence: 70_000, jitter: 5 };
  for (const cname of ['', 'a', 'abcd', 'x'.repeat(300)]) {
    const packet = writeReceiverReport(1, cname, [block]);
    assert.deepEqual(rtcpTypes(packet), [201, 202]);
    assert.equal(packet.readUInt32BE(16), 70_000);
  }
  assert.equal(rtcpTypes(Buffer.from('80c90005', 'hex')), undefined);
});

test('RFC 3550 §6.4.1: a sender report says what was sent and when, and which report of the other it has heard', () => {
  const block = { ssrc: 9, fractionLost: 12, cumulativeLost: 3, highestSequence: 7, jitter: 5 };
  const sender = { ssrc: 0xdead_beef, at: 1_500, timestamp: 320, packets: 2, octets: 320 };
  const packet = writeSenderReport(sender, 'a', [{ ...block, lastReport: 0x1234_5678, sinceLastReport: 65_536 }]);
  assert.deepEqual(rtcpTypes(packet), [200, 202]);
  // One second and a half after 1970, from 1900 on: the middle 32 bits are the low half of the seconds and the high half of the rest.
  assert.deepEqual(readSenderReport(packet), { ssrc: 0xdead_beef, middleOfTime: 0x7e81_8000 });
  assert.equal(packet.readUInt32BE(8), 2_208_988_801);
  assert.deepEqual(
    [16, 20, 24, 28, 44, 48].map((at) => packet.readUInt32BE(at)),
    [320, 2, 320, 9, 0x1234_5678, 65_536],
  );
  assert.equal(readSenderReport(writeReceiverReport(1, 'a', [block])), undefined);
});

test('a port pair is even and odd, and delivers both kinds', async () => {
  const [a, b] = [await PortPair.open('127.0.0.1'), await PortPair.open('127.0.0.1')];
  assert.deepEqual([a.port % 2, b.port % 2], [0, 0]);
  const arrived = Promise.all([once(b, 'rtp'), once(b, 'rtcp')]);
  a.sendRtp(Buffer.from('media'), b.port, b.host);
  a.sendRtcp(Buffer.from('report'), b.port + 1, b.host);
  const [[media, from], [report]] = await arrived;
  assert.deepEqual([String(media), String(report), from.port], ['media', 'report', a.port]);
  for (const pair of [a, b, a]) pair.close();
  a.sendRtp(Buffer.from('late'), b.port, b.host);
});

test('the paced sender keeps its schedule, its sequence and its bound', async () => {
  const sent: SentPacket[] = [];
  const started = performance.now();
  await new Promise<void>((finished) => {
    const next = speechSource(Buffer.alloc(400, 7), 'PCMU', { loop: true });
    new PacedSender({
      payloadType: 0,
      next,
      finished,
      maxPackets: 26,
      firstSequence: 0xfff0,
      transmit: (_, p) => sent.push(p),
    }).start();
  });
  const elapsed = performance.now() - started;
  assert.ok(elapsed >= 26 * PACKET_MS - 2 && elapsed < 26 * PACKET_MS + 400, `${elapsed} ms`);
  assert.equal(sent.length, 26);
  for (const [index, packet] of sent.entries()) {
    assert.equal(packet.sequenceNumber, (0xfff0 + index) & 0xffff);
    assert.equal((packet.timestamp - (sent[0]?.timestamp ?? 0)) >>> 0, 160 * index);
    assert.equal(packet.marker, index === 0);
    assert.equal(packet.payload.length, 160);
  }
  assert.equal(sent[2]?.payload[79], 7);
  assert.equal(sent[2]?.payload[80], 0xff);
});

test('a pause leaves a gap in the timestamps and none in the sequence', async () => {
  const sent: SentPacket[] = [];
  await new Promise<void>((finished) => {
    const next = () => Buffer.alloc(160);
    const sender = new PacedSender({
      payloadType: 0,
      next,
      finished,
      maxPackets: 4,
      transmit: (_, packet) => {
        sent.push(packet);
        if (sent.length !== 2) return;
        sender.pause();
        setTimeout(() => sender.resume(), 100);
      },
    });
    sender.start();
  });
  const [, second, third] = sent;
  assert.ok(second && third);
  assert.equal((third.sequenceNumber - second.sequenceNumber) & 0xffff, 1);
  assert.ok((third.timestamp - second.timestamp) >>> 0 >= 4 * 160);
  assert.ok(third.marker);
});

test('speech that is not looped ends, and a ring keeps the newest', () => {
  const next = speechSource(Buffer.alloc(320), 'PCMU', { loop: false });
  assert.deepEqual(
    [next(), next(), next(), next()].map((piece) => piece?.length),
    [160, 160, undefined, undefined],
  );
  const ring = new PacketRing<number>(3);
  for (let i = 0; i < 100; i += 1) ring.add(i);
  assert.deepEqual([ring.toArray(), ring.total], [[97, 98, 99], 100]);
});
