/** The little RTCP (RFC 3550 §6) that a recorder needs: writing receiver reports with a CNAME, telling packets apart. */
import type { ReceptionReport } from './reception.js';

/** RTCP packet types. */
export const RTCP_TYPES = { senderReport: 200, receiverReport: 201, sourceDescription: 202, bye: 203 } as const;

/** A compound packet: one receiver report and the source description that RFC 3550 §6.1 asks for. */
export function writeReceiverReport(ownSsrc: number, cname: string, blocks: readonly ReceptionReport[]): Buffer {
  const used = blocks.slice(0, 31);
  const report = Buffer.alloc(8 + 24 * used.length);
  report.writeUInt8(0x80 | used.length, 0);
  report.writeUInt8(RTCP_TYPES.receiverReport, 1);
  report.writeUInt16BE(report.length / 4 - 1, 2);
  report.writeUInt32BE(ownSsrc, 4);
  used.forEach((block, index) => {
    const at = 8 + 24 * index;
    report.writeUInt32BE(block.ssrc, at);
    report.writeUInt8(block.fractionLost, at + 4);
    report.writeUIntBE(block.cumulativeLost, at + 5, 3);
    report.writeUInt32BE(block.highestSequence, at + 8);
    report.writeUInt32BE(block.jitter, at + 12);
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
