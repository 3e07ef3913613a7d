/** The little RTCP (RFC 3550 §6) that recorders and parties need: writing reports with a CNAME, reading a sender's, telling packets apart. */
import type { ReceptionReport } from './reception.js';

/** RTCP packet types. */
export const RTCP_TYPES = { senderReport: 200, receiverReport: 201, sourceDescription: 202, bye: 203 } as const;

/** Seconds from 1900 to 1970: NTP counts from there (RFC 3550 §4). */
const NTP_EPOCH_S = 2_208_988_800;

/** What a sender says of itself (RFC 3550 §6.4.1). */
export interface SenderInfo {
  ssrc: number;
  /** Milliseconds since the epoch. */
  at: number;
  /** RTP timestamp of that moment. */
  timestamp: number;
  packets: number;
  octets: number;
}

/** A compound packet: one receiver report and the source description that RFC 3550 §6.1 asks for. */
export function writeReceiverReport(ownSsrc: number, cname: string, blocks: readonly ReceptionReport[]): Buffer {
  return writeReport(RTCP_TYPES.receiverReport, ownSsrc, Buffer.alloc(0), cname, blocks);
}

/** The same with what the sender has sent. */
export function writeSenderReport(sender: SenderInfo, cname: string, blocks: readonly ReceptionReport[]): Buffer {
  const info = Buffer.alloc(20);
  const seconds = sender.at / 1_000 + NTP_EPOCH_S;
  info.writeUInt32BE(Math.floor(seconds), 0);
  info.writeUInt32BE(Math.floor((seconds % 1) * 0x1_0000_0000), 4);
  info.writeUInt32BE(sender.timestamp >>> 0, 8);
  info.writeUInt32BE(sender.packets >>> 0, 12);
  info.writeUInt32BE(sender.octets >>> 0, 16);
  return writeReport(RTCP_TYPES.senderReport, sender.ssrc, info, cname, blocks);
}

/** Who sent a compound packet that begins with a sender report, and the middle of its time, by which a report about it names it. */
export function readSenderReport(bytes: Buffer): { ssrc: number; middleOfTime: number } | undefined {
  if (bytes.length < 28 || bytes.readUInt8(0) >> 6 !== 2 || bytes.readUInt8(1) !== RTCP_TYPES.senderReport)
    return undefined;
  return { ssrc: bytes.readUInt32BE(4), middleOfTime: bytes.readUInt32BE(10) };
}

function writeReport(
  type: number,
  ownSsrc: number,
  info: Buffer,
  cname: string,
  blocks: readonly ReceptionReport[],
): Buffer {
  const used = blocks.slice(0, 31);
  const blocksAt = 8 + info.length;
  const report = Buffer.alloc(blocksAt + 24 * used.length);
  report.writeUInt8(0x80 | used.length, 0);
  report.writeUInt8(type, 1);
  report.writeUInt16BE(report.length / 4 - 1, 2);
  report.writeUInt32BE(ownSsrc, 4);
  info.copy(report, 8);
  used.forEach((block, index) => {
    const at = blocksAt + 24 * index;
    report.writeUInt32BE(block.ssrc, at);
    report.writeUInt8(block.fractionLost, at + 4);
    report.writeUIntBE(block.cumulativeLost, at + 5, 3);
    report.writeUInt32BE(block.highestSequence, at + 8);
    report.writeUInt32BE(block.jitter, at + 12);
    report.writeUInt32BE(block.lastReport ?? 0, at + 16);
    report.writeUInt32BE(block.sinceLastReport ?? 0, at + 20);
  });
  const name = Buffer.from(cname, 'utf8').subarray(0, 255);
  // The item list ends with at least one null byte and is padded to a multiple of four (RFC 3550 §6.5).
  const description = Buffer.alloc(8 + Math.ceil((2 + name.length + 1) / 4) * 4);
  description.writeUInt8(0x81, 0);
  description.writeUInt8(RTCP_TYPES.sourceDescription, 1);
  description.writeUInt16BE(description.length / 4 - 1, 2);
  description.writeUInt32BE(ownSsrc, 4);
  description.writeUInt8(1, 8);
  description.writeUInt8(name.length, 9);
  name.copy(description, 10);
  return Buffer.concat([report, description]);
}

/** The packet types of a compound packet in clear, in order; undefined when it is malformed. */
export function rtcpTypes(bytes: Buffer): number[] | undefined {
  const types: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length || bytes.readUInt8(at) >> 6 !== 2) return undefined;
    types.push(bytes.readUInt8(at + 1));
    at += 4 * (bytes.readUInt16BE(at + 2) + 1);
  }
  return at === bytes.length && types.length > 0 ? types : undefined;
}
