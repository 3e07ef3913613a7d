/** Free loopback ports and media port ranges for processes that cannot be told to take any port. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { PeerError } from './peer.js';

/** Linux's default lower end of the ports that `listen(0)` and outgoing sockets take. */
const DEFAULT_EPHEMERAL_START = 32_768;
/** Ports of this range are handed out one by one, those from RANGE_BASE on as ranges for media. */
const PORTS_BASE = 6_700;
/** fetch refuses it, and those of X11 and IRC below 6,700 (Fetch Standard, "bad port"). */
const BAD_PORT = 10_080;
const RANGE_BASE = 12_000;
const RANGE_SIZE = 400;

/**
 * A TCP port that was free a moment ago, and that the kernel gives to nobody by itself: not to an outgoing connection, not to `listen(0)`.
 * @throws PeerError('not-possible') when none of many was free
 */
export function freeTcpPort(host = '127.0.0.1'): Promise<number> {
  return freePort(async (port) => {
    const server = createServer().listen(port, host);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  });
}

/** A UDP port as {@link freeTcpPort}. */
export function freeUdpPort(host = '127.0.0.1'): Promise<number> {
  return freePort(async (port) => {
    const socket = createSocket('udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    socket.close();
    await once(socket, 'close');
  });
}

/** The first of some ports, picked at random below the kernel's own and the media ports, that can be bound. */
async function freePort(bind: (port: number) => Promise<void>): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(PORTS_BASE, RANGE_BASE);
    if (port === BAD_PORT) continue;
    try {
      await bind(port);
      return port;
    } catch {}
  }
  throw new PeerError('not-possible', `no free port between ${PORTS_BASE} and ${RANGE_BASE}`);
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
