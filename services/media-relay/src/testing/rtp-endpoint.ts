// One end of RTP, for tests: a party that sends G.711, or one stream of a recorder.
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { eventually } from '@sidestream/peers';

export class RtpEndpoint {
  readonly received: Buffer[] = [];
  readonly ssrc = randomBytes(4);
  readonly #socket: Socket;
  #sequence = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (packet) => this.received.push(packet));
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
  sdp(payloadTypes: string, attributes = ''): string {
    const session = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n';
    return `${session}m=audio ${this.port} RTP/AVP ${payloadTypes}\r\n${attributes}`;
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
      this.#socket.send(Buffer.concat([header, payload]), port, '127.0.0.1');
      return payload;
    });
  }

  /** Sends a sender report (RFC 3550 §6.4.1) to the RTCP port of the first audio line of an SDP. */
  sendReport(sdp: string): void {
    const report = Buffer.alloc(28);
    report.writeUInt8(0x80, 0);
    report.writeUInt8(200, 1);
    report.writeUInt16BE(6, 2);
    this.ssrc.copy(report, 4);
    const port = Number(/^a=rtcp:(\d+)/m.exec(sdp)?.[1] ?? audioPort(sdp) + 1);
    this.#socket.send(report, port, '127.0.0.1');
  }

  /** RTP packets with this SSRC. */
  from(ssrc: Buffer): Buffer[] {
    return this.received.filter((packet) => packet.subarray(8, 12).equals(ssrc));
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
