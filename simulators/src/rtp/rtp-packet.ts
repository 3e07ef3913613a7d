/** RTP packets (RFC 3550 §5.1) to and from bytes. It knows no codec, no socket and no encryption. */

/** The fixed header with what follows it up to the payload. */
export interface RtpHeader {
  marker: boolean;
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
}

/** A packet without its padding. */
export interface RtpPacket extends RtpHeader {
  payload: Buffer;
}

/** A header as parsed: where the payload begins, and whether the last byte counts padding. */
export interface ParsedRtpHeader extends RtpHeader {
  headerLength: number;
  padded: boolean;
}

const FIXED_LENGTH = 12;

/** Parses the header of a packet whose payload may still be encrypted; undefined when it is not RTP version 2 or too short. */
export function parseRtpHeader(bytes: Buffer): ParsedRtpHeader | undefined {
  if (bytes.length < FIXED_LENGTH) return undefined;
  const first = bytes.readUInt8(0);
  if (first >> 6 !== 2) return undefined;
  let headerLength = FIXED_LENGTH + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (bytes.length < headerLength + 4) return undefined;
    headerLength += 4 + 4 * bytes.readUInt16BE(headerLength + 2);
  }
  if (bytes.length < headerLength) return undefined;
  const second = bytes.readUInt8(1);
  return {
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequenceNumber: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    headerLength,
    padded: (first & 0x20) !== 0,
  };
}

/** Parses a packet in clear; undefined when it is malformed. The payload is a view on `bytes`. */
export function parseRtp(bytes: Buffer): RtpPacket | undefined {
  const header = parseRtpHeader(bytes);
  if (header === undefined) return undefined;
  const { headerLength, padded, ...fields } = header;
  let end = bytes.length;
  if (padded) {
    const count = end > headerLength ? bytes.readUInt8(end - 1) : 0;
    if (count === 0 || end - count < headerLength) return undefined;
    end -= count;
  }
  return { ...fields, payload: bytes.subarray(headerLength, end) };
}

/** Writes a packet without contributing sources, extension or padding. Numbers are taken modulo their field's size. */
export function writeRtp(packet: RtpPacket): Buffer {
  const bytes = Buffer.allocUnsafe(FIXED_LENGTH + packet.payload.length);
  bytes.writeUInt8(0x80, 0);
  bytes.writeUInt8((packet.marker ? 0x80 : 0) | (packet.payloadType & 0x7f), 1);
  bytes.writeUInt16BE(packet.sequenceNumber & 0xffff, 2);
  bytes.writeUInt32BE(packet.timestamp >>> 0, 4);
  bytes.writeUInt32BE(packet.ssrc >>> 0, 8);
  packet.payload.copy(bytes, FIXED_LENGTH);
  return bytes;
}
