/** A real drachtio-server with one SIP port (UDP and TCP) and its admin port on loopback. */
import { randomBytes } from 'node:crypto';
import { readPeerEnvironment } from './config.js';
import { type Peer, PeerError, type PeerResult } from './peer.js';
import { freeTcpPort } from './ports.js';
import { probeDrachtio } from './probes.js';
import { resolvePeer } from './resolve.js';

const HOST = '127.0.0.1';
const CONFIG = 'drachtio.conf.xml';

/** A drachtio-server: where applications connect, and what it listens on for SIP. */
export interface DrachtioPeer extends Peer<'drachtio'> {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Listening SIP contacts as the server tells them: `udp/127.0.0.1:5060`. */
  readonly contacts: readonly string[];
}

/** How to start drachtio-server; ignored when the environment names one. */
export interface DrachtioOptions {
  /** SIP port for UDP and TCP; any free one by default. */
  sipPort?: number;
  args?: readonly string[];
  startTimeoutMs?: number;
}

function parseDrachtioUrl(text: string): { host: string; port: number; secret: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '')
    throw new PeerError('not-possible', 'DRACHTIO_URL is not tcp://:secret@host:port');
  return {
    host: url.hostname,
    port: url.port === '' ? 9022 : Number(url.port),
    secret: decodeURIComponent(url.password) || 'cymru',
  };
}

/** Finds or starts drachtio-server. */
export async function startDrachtio(options: DrachtioOptions = {}): Promise<PeerResult<DrachtioPeer>> {
  const { drachtioUrl } = readPeerEnvironment();
  return await resolvePeer({
    kind: 'drachtio',
    optional: true,
    startTimeoutMs: options.startTimeoutMs,
    fixedPorts: options.sipPort !== undefined,
    environment:
      drachtioUrl === undefined
        ? undefined
        : async (signal) => {
            const address = parseDrachtioUrl(drachtioUrl);
            return { ...address, contacts: await probeDrachtio(address, address.secret, signal) };
          },
    recipe: async () => {
      const address = { host: HOST, port: await freeTcpPort(HOST), secret: randomBytes(16).toString('hex') };
      const sipPort = options.sipPort ?? (await freeTcpPort(HOST));
      return {
        name: 'drachtio',
        command: 'drachtio',
        image: 'drachtio/drachtio-server:0.9.11',
        // The secret is in the file and not among the arguments, which every user of the machine can list.
        files: {
          [CONFIG]: `<drachtio><admin port="${address.port}" secret="${address.secret}">${HOST}</admin>
<logging><console/><sofia-loglevel>3</sofia-loglevel><loglevel>info</loglevel></logging></drachtio>
`,
        },
        args: (directory) => [
          ...['-f', `${directory}/${CONFIG}`, '-c', `sip:${HOST}:${sipPort};transport=udp,tcp`, '--stdout'],
          ...(options.args ?? []),
        ],
        probe: async (signal) => ({ ...address, contacts: await probeDrachtio(address, address.secret, signal) }),
      };
    },
  });
}
