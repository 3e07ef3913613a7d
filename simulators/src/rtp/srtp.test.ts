import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { peersRequired } from '@sidestream/peers';
import { findLibsrtp } from './libsrtp.js';
import { writeReceiverReport } from './rtcp.js';
import { writeRtp } from './rtp-packet.js';
import { SrtpReceiver, SrtpSender } from './srtp.js';
import { aesCounterMode, counterFor, deriveKey } from './srtp-keys.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function packets(count: number, firstSequence: number, ssrc = 0xdeadbeef): Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    writeRtp({
      marker: index === 0,
      payloadType: 0,
      sequenceNumber: firstSequence + index,
      timestamp: 160 * index,
      ssrc,
      payload: Buffer.alloc(160, index),
    }),
  );
}

function receive(receiver: SrtpReceiver, srtp: Buffer): Buffer {
  const { packet, refused } = receiver.unprotect(srtp);
  assert.ok(packet !== undefined, refused);
  return packet;
}

test('RFC 3711 B.2: AES-CM key stream', () => {
  const key = hex('2B7E151628AED2A6ABF7158809CF4F3C');
  const salt = hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD');
  const counter = counterFor(salt, 0, 0);
  assert.equal(counter.toString('hex').toUpperCase(), 'F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000');
  const stream = aesCounterMode(key, counter, Buffer.alloc(1_044_512)).toString('hex').toUpperCase();
  assert.ok(
    stream.startsWith(
      'E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0',
    ),
  );
  assert.ok(
    stream.endsWith('EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE6A2CC3787889374FBEB4C81B17BA6C44'),
  );
});

test('RFC 3711 B.3: key derivation', () => {
  const key = hex('E1F97A0D3E018BE0D64FA32C06DE4139');
  const salt = hex('0EC675AD498AFEEBB6960B3AABE6');
  assert.deepEqual(deriveKey(key, salt, 0, 16), hex('C61E7A93744F39EE10734AFE3FF7A087'));
  assert.deepEqual(deriveKey(key, salt, 2, 14), hex('30CBBC08863D8C85D49DB34A9AE1'));
  const authKey =
    'CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE E049646C43D9327AD175578EF7227098' +
    '6371C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2';
  assert.deepEqual(deriveKey(key, salt, 1, 94), hex(authKey));
});

test('RFC 3711 §3.3.1: the rollover counter follows the sequence number across its wrap, with reordering and loss', () => {
  const key = randomBytes(30);
  const [sender, receiver] = [new SrtpSender(key), new SrtpReceiver(key)];
  const clear = packets(40, 0xffff - 20);
  const sealed = clear.map((packet) => sender.protect(packet));
  // Around the wrap: one packet late by four, one never.
  const order = [...Array(19).keys(), 24, 20, 21, 23, 19, 25, 26, ...Array.from({ length: 13 }, (_, i) => 27 + i)];
  for (const index of order) assert.deepEqual(receive(receiver, sealed[index] ?? Buffer.alloc(0)), clear[index]);
  assert.deepEqual([receiver.authFailures, receiver.replayed], [0, 0]);
});

test('RFC 3711 §3.3.1: three wraps in a row, half a cycle at a time', () => {
  const key = randomBytes(30);
  const [sender, receiver] = [new SrtpSender(key), new SrtpReceiver(key)];
  for (let sequence = 0; sequence < 3 * 0x1_0000; sequence += 0x4000) {
    const [packet = Buffer.alloc(0)] = packets(1, sequence);
    assert.deepEqual(receive(receiver, sender.protect(packet)), packet);
  }
});

test('RFC 3711 §3.3.2: a repeated packet is refused as replayed, an old one too', () => {
  const key = randomBytes(30);
  const [sender, receiver] = [new SrtpSender(key), new SrtpReceiver(key)];
  const sealed = packets(2_000, 100).map((packet) => sender.protect(packet));
  for (const packet of sealed.slice(1)) receive(receiver, packet);
  assert.equal(receiver.unprotect(sealed[1_999] ?? Buffer.alloc(0)).refused, 'replayed');
  assert.equal(receiver.unprotect(sealed[0] ?? Buffer.alloc(0)).refused, 'replayed');
  assert.deepEqual([receiver.authFailures, receiver.replayed], [0, 2]);
});

test('a changed bit, another key and a short datagram are refused, and change nothing', () => {
  const key = randomBytes(30);
  const [sender, receiver] = [new SrtpSender(key), new SrtpReceiver(key)];
  const [first, second] = packets(2, 7).map((packet) => sender.protect(packet));
  assert.ok(first && second);
  for (const at of [1, 5, 20, first.length - 1]) {
    const forged: Buffer = Buffer.from(first);
    forged.writeUInt8(forged.readUInt8(at) ^ 1, at);
    assert.equal(receiver.unprotect(forged).refused, 'authentication');
  }
  assert.equal(new SrtpReceiver(randomBytes(30)).unprotect(first).refused, 'authentication');
  assert.equal(receiver.unprotect(first.subarray(0, 15)).refused, 'malformed');
  assert.equal(receiver.authFailures, 4);
  receive(receiver, second);
  receive(receiver, first);
  assert.throws(() => new SrtpReceiver(randomBytes(29)), RangeError);
});

test('RFC 3711 §3.4: SRTCP round trip, replay and forgery', () => {
  const key = randomBytes(30);
  const [sender, receiver] = [new SrtpSender(key), new SrtpReceiver(key)];
  const report = writeReceiverReport(1, 'recorder', []);
  const sealed = sender.protectRtcp(report);
  assert.deepEqual(receiver.unprotectRtcp(sealed).packet, report);
  assert.equal(receiver.unprotectRtcp(sealed).refused, 'replayed');
  sealed.writeUInt8(sealed.readUInt8(9) ^ 0x80, 9);
  assert.equal(receiver.unprotectRtcp(sealed).refused, 'authentication');
  assert.deepEqual(receiver.unprotectRtcp(sender.protectRtcp(report)).packet, report);
});

test('libsrtp decrypts what we encrypt, and we decrypt what libsrtp encrypts, across a wrap; SRTCP too', async (t) => {
  const { libsrtp, reason } = await findLibsrtp();
  if (libsrtp === undefined) {
    assert.ok(!peersRequired(), reason);
    return t.skip(reason);
  }
  const key = randomBytes(30);
  const clear = packets(60, 0xffff - 30);
  const sender = new SrtpSender(key);
  const ours = clear.map((packet) => sender.protect(packet));
  assert.deepEqual(await libsrtp.unprotect(key, ours), clear);
  const receiver = new SrtpReceiver(key);
  for (const [index, sealed] of (await libsrtp.protect(key, clear)).entries()) {
    assert.ok(Buffer.isBuffer(sealed));
    assert.deepEqual(receive(receiver, sealed), clear[index]);
  }
  const [otherKey] = await libsrtp.unprotect(randomBytes(30), ours.slice(0, 1));
  assert.ok(otherKey !== undefined && 'error' in otherKey);

  const reports = [1, 2, 3].map((ssrc) => writeReceiverReport(ssrc, 'sidestream', []));
  const rtcpSender = new SrtpSender(key);
  const sealedReports = reports.map((report) => rtcpSender.protectRtcp(report));
  assert.deepEqual(await libsrtp.unprotect(key, sealedReports, 'srtcp'), reports);
  const theirs = await libsrtp.protect(key, reports, 'srtcp');
  for (const [index, sealed] of theirs.entries()) {
    assert.ok(Buffer.isBuffer(sealed));
    assert.deepEqual(receiver.unprotectRtcp(sealed).packet, reports[index]);
  }
});
