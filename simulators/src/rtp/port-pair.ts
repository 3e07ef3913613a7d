/** A pair of UDP sockets, RTP on an even port and RTCP on the next one (RFC 3550 §11). It knows nothing of what is in them. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { isIPv6 } from 'node:net';
import { DelayLine } from '../network/delay-line.js';

const ATTEMPTS = 100;
/** Enough for a stalled event loop of about a second at 50 packets per second and per stream. */
const RECEIVE_BUFFER_BYTES = 1 << 18;

export interface PortPairEvents {
  rtp: [bytes: Buffer, from: RemoteInfo];
  rtcp: [bytes: Buffer, from: RemoteInfo];
}

async function bind(host: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
  try {
    socket.bind(port, host);
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Two bound sockets; `close` is idempotent. Errors of sending (a closed port at the other end) are not reported: it is UDP. */
export class PortPair extends EventEmitter<PortPairEvents> {
  readonly host: string;
  readonly port: number;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #coming: DelayLine;
  readonly #going: DelayLine;
  #closed = false;

  private constructor(host: string, rtp: Socket, rtcp: Socket, delayMs: () => number) {
    super();
    this.host = host;
    this.port = rtp.address().port;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#coming = new DelayLine(delayMs);
    this.#going = new DelayLine(delayMs);
    for (const socket of [rtp, rtcp]) socket.on('error', () => undefined);
    rtp.on('message', (bytes, from) => this.#coming.push(() => this.emit('rtp', bytes, from)));
    rtcp.on('message', (bytes, from) => this.#coming.push(() => this.emit('rtcp', bytes, from)));
  }

  /**
   * Binds a free pair on `host`; rejects when none is found in 100 tries or the address is not ours.
   * @param delayMs each way, as if the ports were far away; asked anew for each datagram
   */
  static async open(host: string, delayMs = () => 0): Promise<PortPair> {
    let last: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const rtp = await bind(host, 0);
      const { port } = rtp.address();
      if (port % 2 === 0) {
        try {
          return new PortPair(host, rtp, await bind(host, port + 1), delayMs);
        } catch (error) {
          last = error;
        }
      }
      rtp.close();
    }
    throw new Error(`no pair of free UDP ports on ${host}`, { cause: last });
  }

  sendRtp(bytes: Buffer, port: number, host: string): void {
    this.#going.push(() => {
      if (!this.#closed) this.#rtp.send(bytes, port, host, () => undefined);
    });
  }

  sendRtcp(bytes: Buffer, port: number, host: string): void {
    this.#going.push(() => {
      if (!this.#closed) this.#rtcp.send(bytes, port, host, () => undefined);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const line of [this.#coming, this.#going]) line.clear();
    this.#rtp.close();
    this.#rtcp.close();
    this.removeAllListeners();
  }
}
