/**
 * SRTP and SRTCP (RFC 3711) with AES_CM_128_HMAC_SHA1_80 and without MKI, for one direction of one SDES key. It knows
 * packets and keys, neither sockets nor SDP, and never shows a key.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ReplayList, SourceIndex } from './packet-index.js';
import { parseRtpHeader } from './rtp-packet.js';
import { aesCounterMode, counterFor, deriveSessionKeys, type SessionKeys } from './srtp-keys.js';

const TAG_LENGTH = 10;
const INDEX_LENGTH = 4;
const RTCP_CLEAR_LENGTH = 8;
const ENCRYPTED_FLAG = 0x8000_0000;
/** Streams of one key; more sources than a call ever has means that someone tries sources. */
const MAX_SOURCES = 32;

/** Why a packet was not accepted. */
export type SrtpRefusal = 'malformed' | 'authentication' | 'replayed' | 'too-many-sources';

/** The packet in clear, or why there is none. */
export type Unprotected = { packet: Buffer; refused?: undefined } | { packet?: undefined; refused: SrtpRefusal };

function tag(key: Buffer, ...parts: Buffer[]): Buffer {
  const hmac = createHmac('sha1', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest().subarray(0, TAG_LENGTH);
}

function word(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Encrypts what is sent with one key. */
export class SrtpSender {
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  readonly #sources = new Map<number, SourceIndex>();
  #rtcpIndex = 0;

  /** `master`: the 30 octets of the SDES key; RangeError otherwise. */
  constructor(master: Buffer) {
    this.#rtp = deriveSessionKeys(master, 'srtp');
    this.#rtcp = deriveSessionKeys(master, 'srtcp');
  }

  /** Encrypts and authenticates an RTP packet (§3.1); packets of a source come in order. Throws RangeError when malformed. */
  protect(rtp: Buffer): Buffer {
    const header = parseRtpHeader(rtp);
    if (header === undefined) throw new RangeError('not an RTP packet');
    const source = this.#sources.get(header.ssrc) ?? new SourceIndex();
    const index = source.estimate(header.sequenceNumber);
    if (index === undefined) throw new RangeError('the sequence number is before the first one');
    if (!this.#sources.has(header.ssrc)) {
      if (this.#sources.size >= MAX_SOURCES) throw new RangeError('too many sources for one key');
      this.#sources.set(header.ssrc, source);
    }
    source.accept(index);
    const { cipherKey, cipherSalt, authKey } = this.#rtp;
    const clear = rtp.subarray(0, header.headerLength);
    const payload = aesCounterMode(
      cipherKey,
      counterFor(cipherSalt, header.ssrc, index),
      rtp.subarray(header.headerLength),
    );
    return Buffer.concat([clear, payload, tag(authKey, clear, payload, word(Math.floor(index / 0x1_0000)))]);
  }

  /** Encrypts and authenticates a compound RTCP packet (§3.4). Throws RangeError when it is too short. */
  protectRtcp(rtcp: Buffer): Buffer {
    if (rtcp.length < RTCP_CLEAR_LENGTH) throw new RangeError('not an RTCP packet');
    const index = this.#rtcpIndex;
    this.#rtcpIndex = (index + 1) % ENCRYPTED_FLAG;
    const { cipherKey, cipherSalt, authKey } = this.#rtcp;
    const clear = rtcp.subarray(0, RTCP_CLEAR_LENGTH);
    const counter = counterFor(cipherSalt, rtcp.readUInt32BE(4), index);
    const body = aesCounterMode(cipherKey, counter, rtcp.subarray(RTCP_CLEAR_LENGTH));
    const trailer = word(ENCRYPTED_FLAG + index);
    return Buffer.concat([clear, body, trailer, tag(authKey, clear, body, trailer)]);
  }
}

/** Authenticates and decrypts what arrives under one key. */
export class SrtpReceiver {
  /** Packets whose tag was wrong: the key, the rollover counter or a bit of the packet. */
  authFailures = 0;
  /** Authentic packets that came again, or are older than the replay list. */
  replayed = 0;
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  readonly #sources = new Map<number, SourceIndex>();
  readonly #rtcpSources = new Map<number, ReplayList>();

  /** `master`: the 30 octets of the SDES key; RangeError otherwise. */
  constructor(master: Buffer) {
    this.#rtp = deriveSessionKeys(master, 'srtp');
    this.#rtcp = deriveSessionKeys(master, 'srtcp');
  }

  /** §3.3: estimates the index, authenticates, looks for replay, decrypts. */
  unprotect(srtp: Buffer): Unprotected {
    const end = srtp.length - TAG_LENGTH;
    const header = parseRtpHeader(srtp.subarray(0, Math.max(0, end)));
    if (header === undefined) return { refused: 'malformed' };
    const known = this.#sources.get(header.ssrc);
    const source = known ?? new SourceIndex();
    const index = source.estimate(header.sequenceNumber);
    const { cipherKey, cipherSalt, authKey } = this.#rtp;
    const body = srtp.subarray(0, end);
    if (
      index === undefined ||
      !this.#authentic(srtp.subarray(end), authKey, body, word(Math.floor(index / 0x1_0000)))
    ) {
      this.authFailures += 1;
      return { refused: 'authentication' };
    }
    // Authentication goes first: a forged copy must not be counted as the sender's repetition.
    if (source.replay.has(index)) return this.#replay();
    if (known === undefined) {
      if (this.#sources.size >= MAX_SOURCES) return { refused: 'too-many-sources' };
      this.#sources.set(header.ssrc, source);
    }
    source.accept(index);
    const counter = counterFor(cipherSalt, header.ssrc, index);
    const payload = aesCounterMode(cipherKey, counter, srtp.subarray(header.headerLength, end));
    return { packet: Buffer.concat([srtp.subarray(0, header.headerLength), payload]) };
  }

  /** §3.4: the same for SRTCP, whose index is in the packet. */
  unprotectRtcp(srtcp: Buffer): Unprotected {
    const end = srtcp.length - TAG_LENGTH;
    const bodyEnd = end - INDEX_LENGTH;
    if (bodyEnd < RTCP_CLEAR_LENGTH || srtcp.readUInt8(0) >> 6 !== 2) return { refused: 'malformed' };
    const { cipherKey, cipherSalt, authKey } = this.#rtcp;
    if (!this.#authentic(srtcp.subarray(end), authKey, srtcp.subarray(0, end))) {
      this.authFailures += 1;
      return { refused: 'authentication' };
    }
    const ssrc = srtcp.readUInt32BE(4);
    const trailer = srtcp.readUInt32BE(bodyEnd);
    const index = trailer % ENCRYPTED_FLAG;
    const known = this.#rtcpSources.get(ssrc);
    if (known?.has(index)) return this.#replay();
    if (known === undefined && this.#rtcpSources.size >= MAX_SOURCES) return { refused: 'too-many-sources' };
    const list = known ?? new ReplayList();
    list.add(index);
    this.#rtcpSources.set(ssrc, list);
    const clear = srtcp.subarray(0, RTCP_CLEAR_LENGTH);
    const body = srtcp.subarray(RTCP_CLEAR_LENGTH, bodyEnd);
    if (trailer < ENCRYPTED_FLAG) return { packet: Buffer.concat([clear, body]) };
    return { packet: Buffer.concat([clear, aesCounterMode(cipherKey, counterFor(cipherSalt, ssrc, index), body)]) };
  }

  #authentic(found: Buffer, key: Buffer, ...parts: Buffer[]): boolean {
    return timingSafeEqual(found, tag(key, ...parts));
  }

  #replay(): Unprotected {
    this.replayed += 1;
    return { refused: 'replayed' };
  }
}
