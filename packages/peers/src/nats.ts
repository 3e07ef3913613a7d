/** A real NATS server on a free loopback port. */
import { readPeerEnvironment } from './config.js';
import { type Peer, PeerError, type PeerResult } from './peer.js';
import { freeTcpPort } from './ports.js';
import { probeNats } from './probes.js';
import { resolvePeer } from './resolve.js';

const HOST = '127.0.0.1';

/** A NATS server and where it is reached. */
export interface NatsPeer extends Peer<'nats'> {
  /** `nats://host:port` (as given, when the environment names it). */
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** How to start NATS; ignored when the environment names a server. */
export interface NatsOptions {
  /** JetStream with file storage in the peer's temporary directory, or in `storeDirectory`. */
  jetStream?: boolean;
  /** A store that outlives the peer, to start it again with the same streams. */
  storeDirectory?: string;
  /** A fixed port, to start it again at the same address. */
  port?: number;
  /** More server flags, e.g. `--tls`, `--tlscert=…`, `--user=…`. */
  args?: readonly string[];
  startTimeoutMs?: number;
}

function parseNatsUrl(text: string): { url: string; host: string; port: number } {
  const full = text.includes('://') ? text : `nats://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.hostname === '') throw new PeerError('not-possible', 'NATS_URL is not a URL');
  return { url: full, host: url.hostname, port: url.port === '' ? 4222 : Number(url.port) };
}

/** Finds or starts a NATS server. */
export async function startNats(options: NatsOptions = {}): Promise<PeerResult<NatsPeer>> {
  const { natsUrl } = readPeerEnvironment();
  return await resolvePeer({
    kind: 'nats',
    startTimeoutMs: options.startTimeoutMs,
    fixedPorts: options.port !== undefined,
    environment:
      natsUrl === undefined
        ? undefined
        : async (signal) => {
            const address = parseNatsUrl(natsUrl);
            await probeNats(address, signal);
            return address;
          },
    recipe: async () => {
      const port = options.port ?? (await freeTcpPort(HOST));
      const address = { url: `nats://${HOST}:${port}`, host: HOST, port };
      return {
        name: 'nats',
        command: 'nats-server',
        image: 'nats:2.10-alpine',
        args: (directory) => [
          ...['-a', HOST, '-p', String(port)],
          ...(options.jetStream === true ? ['-js', '-sd', options.storeDirectory ?? directory] : []),
          ...(options.args ?? []),
        ],
        probe: async (signal) => {
          await probeNats(address, signal);
          return address;
        },
      };
    },
  });
}
