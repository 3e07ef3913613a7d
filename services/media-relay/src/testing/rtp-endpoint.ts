// One end of RTP, for tests: a party that sends G.711, or one stream of a recorder.
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { eventually } from '@sidestream/peers';
import { openSrtp, sealSrtp } from './srtp.js';

/** Of all reports. */
const ntp = { seconds: 0x1122_3344, fraction: 0x5566_7788 };

export class RtpEndpoint {
  /** What comes, decrypted where a key is known; what such a key does not open is not kept. */
  readonly received: Buffer[] = [];
  /** `a=crypto` values of SDES: what it sends with, and what it expects. Undefined: plain RTP. */
  keys: { readonly own: string; readonly theirs: string } | undefined;
  refused = 0;
  readonly ssrc = randomBytes(4);
  readonly #socket: Socket;
  #sequence = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (packet) => this.#receive(packet));
  }

  static async open(): Promise<RtpEndpoint> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new RtpEndpoint(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** The SDP of a party whose media is here. */
  sdp(payloadTypes: string, attributes = '', protocol = 'RTP/AVP'): string {
    const session = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n';
    return `${session}m=audio ${this.port} ${protocol} ${payloadTypes}\r\n${attributes}`;
  }

  /** Sends packets of 160 random bytes to the first audio port of an SDP. @returns their payloads. */
  send(sdp: string, count: number, payloadType = 0): Buffer[] {
    const port = audioPort(sdp);
    return Array.from({ length: count }, () => {
      const payload = randomBytes(160);
      const header = Buffer.alloc(12);
      header.writeUInt8(0x80, 0);
      header.writeUInt8(payloadType, 1);
      header.writeUInt16BE(this.#sequence & 0xffff, 2);
      header.writeUInt32BE(this.#sequence * 160, 4);
      this.ssrc.copy(header, 8);
      this.#sequence += 1;
      this.#transmit(Buffer.concat([header, payload]), port);
      return payload;
    });
  }

  /** Sends a DTMF digit of 80 ms as RFC 4733 §2.5.1 says: four packets, and two more with its end. */
  sendDigit(sdp: string, payloadType: number): void {
    const [port, startedAt] = [audioPort(sdp), this.#sequence * 160];
    for (const n of [1, 2, 3, 4, 5, 6]) {
      const packet = Buffer.alloc(16);
      packet.writeUInt8(0x80, 0);
      packet.writeUInt8(payloadType | (n === 1 ? 0x80 : 0), 1);
      packet.writeUInt16BE(this.#sequence & 0xffff, 2);
      packet.writeUInt32BE(startedAt, 4);
      this.ssrc.copy(packet, 8);
      packet.writeUInt8(5, 12);
      packet.writeUInt8(10 | (n >= 4 ? 0x80 : 0), 13);
      packet.writeUInt16BE(Math.min(n, 4) * 160, 14);
      this.#sequence += 1;
      this.#transmit(packet, port);
    }
  }

  /**
   * Sends a sender report (RFC 3550 §6.4.1) to the RTCP port of the first audio line of an SDP; where told with a block about
   * another's stream, whose own report has come.
   */
  sendReport(sdp: string, about?: { readonly ssrc: Buffer; readonly lost: number }): void {
    const report = Buffer.alloc(about === undefined ? 28 : 52);
    report.writeUInt8(about === undefined ? 0x80 : 0x81, 0);
    report.writeUInt8(200, 1);
    report.writeUInt16BE(report.length / 4 - 1, 2);
    this.ssrc.copy(report, 4);
    report.writeUInt32BE(ntp.seconds, 8);
    report.writeUInt32BE(ntp.fraction, 12);
    if (about !== undefined) {
      about.ssrc.copy(report, 28);
      report.writeUIntBE(about.lost, 33, 3);
      // When that report came and how long ago: the middle of its time, and 1/65536 s.
      report.writeUInt32BE(((ntp.seconds & 0xffff) << 16) | (ntp.fraction >>> 16), 44);
      report.writeUInt32BE(1, 48);
    }
    const port = Number(/^a=rtcp:(\d+)/m.exec(sdp)?.[1] ?? audioPort(sdp) + 1);
    this.#socket.send(report, port, '127.0.0.1');
  }

  #receive(packet: Buffer): void {
    const payload = this.keys && openSrtp(this.keys.theirs, packet);
    if (this.keys === undefined) this.received.push(packet);
    else if (payload === undefined) this.refused += 1;
    else this.received.push(Buffer.concat([packet.subarray(0, 12), payload]));
  }

  #transmit(packet: Buffer, port: number): void {
    this.#socket.send(this.keys ? sealSrtp(this.keys.own, packet) : packet, port, '127.0.0.1');
  }

  /** Sends a datagram as it is. */
  sendTo(port: number, datagram: Buffer): void {
    this.#socket.send(datagram, port, '127.0.0.1');
  }

  /** RTP packets with this SSRC. */
  from(ssrc: Buffer): Buffer[] {
    return this.received.filter((packet) => packet.subarray(8, 12).equals(ssrc));
  }

  /** How many packets came with each payload type. */
  byPayloadType(): Record<number, number> {
    const counts: Record<number, number> = {};
    for (const packet of this.received) {
      const type = (packet[1] ?? 0) & 0x7f;
      counts[type] = (counts[type] ?? 0) + 1;
    }
    return counts;
  }

  async has(count: number, ssrc: Buffer): Promise<void> {
    await eventually(() => this.from(ssrc).length >= count, `${count} packets at ${this.port}`);
  }

  close(): void {
    this.#socket.close();
  }
}

export function audioPort(sdp: string): number {
  return Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
}

export function addressLine(sdp: string): string | undefined {
  return /^c=.*$/m.exec(sdp)?.[0];
}

/** A recorder's answer: one secure audio line per endpoint. */
export function recorderSdp(endpoints: readonly RtpEndpoint[], protocol = 'RTP/SAVP', direction = 'recvonly'): string {
  const lines = endpoints.flatMap((endpoint) => [
    `m=audio ${endpoint.port} ${protocol} 0 8`,
    ...(protocol === 'RTP/SAVP'
      ? [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${randomBytes(30).toString('base64')}`]
      : []),
    `a=${direction}`,
  ]);
  return ['v=0', 'o=r 1 1 IN IP4 127.0.0.1', 's=r', 'c=IN IP4 127.0.0.1', 't=0 0', ...lines, ''].join('\r\n');
}

/**
 * A recorder's answer as signalling writes it for the relay (packages/siprec, golden/relay-answer*.sdp); undefined = a
 * stream that the recorder refused or holds.
 */
export function relayAnswer(streams: readonly (RtpEndpoint | undefined)[], payloadTypes = '0 8 101'): string {
  const names: Record<string, string> = { 0: 'PCMU', 8: 'PCMA', 101: 'telephone-event' };
  const lines = streams.flatMap((endpoint, index) => {
    if (!endpoint) return ['m=audio 0 RTP/SAVP 0 8 101'];
    return [
      `m=audio ${endpoint.port} RTP/SAVP ${payloadTypes}`,
      'c=IN IP4 127.0.0.1',
      ...payloadTypes.split(' ').map((type) => `a=rtpmap:${type} ${names[type]}/8000`),
      'a=recvonly',
      `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${randomBytes(30).toString('base64')}`,
      `a=label:${index === 0 ? 'inbound' : 'outbound'}`,
    ];
  });
  return ['v=0', 'o=- 9 9 IN IP4 0.0.0.0', 's=-', 'c=IN IP4 0.0.0.0', 't=0 0', ...lines, ''].join('\r\n');
}
