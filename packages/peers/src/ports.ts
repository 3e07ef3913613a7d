/** Free loopback ports and media port ranges for processes that cannot be told to take any port. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { PeerError } from './peer.js';

/** Linux's default lower end of the ports that `listen(0)` and outgoing sockets take. */
const DEFAULT_EPHEMERAL_START = 32_768;
const RANGE_BASE = 12_000;
const RANGE_SIZE = 400;

/** A TCP port that was free a moment ago. */
export async function freeTcpPort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new PeerError('not-possible', 'no free TCP port');
  return address.port;
}

/** A UDP port that was free a moment ago. */
export async function freeUdpPort(host = '127.0.0.1'): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** First port of the range that the kernel hands out by itself. */
export async function ephemeralStart(): Promise<number> {
  try {
    const text = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const start = Number.parseInt(text, 10);
    return Number.isInteger(start) ? start : DEFAULT_EPHEMERAL_START;
  } catch {
    return DEFAULT_EPHEMERAL_START;
  }
}

/** An inclusive range of UDP ports for media. */
export interface PortRange {
  min: number;
  max: number;
}

let rangesTaken = 0;

/**
 * A media port range below the kernel's own, different for each process and each call. The media relay would otherwise
 * lose ports to any socket bound to port 0. Throws PeerError('not-possible') when a given range overlaps the kernel's.
 */
export async function mediaPortRange(given?: PortRange): Promise<PortRange> {
  const end = await ephemeralStart();
  if (given !== undefined) {
    if (given.max >= end) {
      const text = `media ports ${given.min}-${given.max} overlap the kernel's own range, which starts at ${end}`;
      throw new PeerError('not-possible', text);
    }
    return given;
  }
  const slots = Math.floor((end - RANGE_BASE) / RANGE_SIZE);
  if (slots < 1)
    throw new PeerError('not-possible', `the kernel's own port range starts at ${end}: no room for media ports`);
  const min = RANGE_BASE + ((process.pid * 7 + rangesTaken) % slots) * RANGE_SIZE;
  rangesTaken += 1;
  return { min, max: min + RANGE_SIZE - 1 };
}
