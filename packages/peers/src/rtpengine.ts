/** A real rtpengine in user space on loopback, with a media port range of its own. */
import { fileURLToPath } from 'node:url';
import { readPeerEnvironment } from './config.js';
import { type Peer, PeerError, type PeerResult } from './peer.js';
import { freeTcpPort, freeUdpPort, mediaPortRange, type PortRange } from './ports.js';
import { probeNg } from './probes.js';
import { resolvePeer } from './resolve.js';

const HOST = '127.0.0.1';
/** Where the image of Debian's binary is described. */
const images = fileURLToPath(new URL('../../../deploy/images', import.meta.url));

/** Where an rtpengine is reached. */
export interface RtpengineAddresses {
  readonly host: string;
  readonly port: number;
  /** `host:port` of the ng socket, as configurations write it. */
  readonly ng: string;
  /** Address of metrics and CLI over HTTP; absent for an engine of the environment without `RTPENGINE_HTTP`. */
  readonly http: string | undefined;
  readonly mediaPorts: PortRange | undefined;
}

/** An rtpengine and its ng control address. */
export type RtpenginePeer = Peer<'rtpengine'> & RtpengineAddresses;

/** How to start rtpengine; ignored when the environment names one. */
export interface RtpengineOptions {
  /** Inclusive media range below the kernel's own ports; else one that differs per process and call. */
  mediaPorts?: PortRange;
  /** A fixed ng port, to start it again at the same address. */
  port?: number;
  /** Its configuration file, which names its interface; else it is on loopback and tells so. */
  config?: string;
  /** More flags, e.g. `--timeout=10`. */
  args?: readonly string[];
  startTimeoutMs?: number;
}

function parseHostPort(text: string): { host: string; port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  if (match?.[1] === undefined) throw new PeerError('not-possible', 'RTPENGINE_NG is not host:port');
  return { host: match[1], port: Number(match[2]) };
}

/** Finds or starts rtpengine. */
export async function startRtpengine(options: RtpengineOptions = {}): Promise<PeerResult<RtpenginePeer>> {
  const { rtpengineNg, rtpengineHttp } = readPeerEnvironment();
  return await resolvePeer<'rtpengine', RtpengineAddresses>({
    kind: 'rtpengine',
    startTimeoutMs: options.startTimeoutMs,
    fixedPorts: options.port !== undefined || options.mediaPorts !== undefined,
    environment:
      rtpengineNg === undefined
        ? undefined
        : async (signal) => {
            const address = parseHostPort(rtpengineNg);
            await probeNg(address, signal);
            return { ...address, ng: rtpengineNg, http: rtpengineHttp, mediaPorts: undefined };
          },
    recipe: async () => {
      const mediaPorts = await mediaPortRange(options.mediaPorts);
      const port = options.port ?? (await freeUdpPort(HOST));
      const http = `${HOST}:${await freeTcpPort(HOST)}`;
      const details = { host: HOST, port, ng: `${HOST}:${port}`, http, mediaPorts };
      return {
        name: 'rtpengine',
        command: 'rtpengine',
        image: 'sidestream/rtpengine:demo',
        build: { context: images, file: 'rtpengine.Dockerfile' },
        ...(options.config !== undefined && { files: { 'rtpengine.conf': options.config } }),
        args: (directory) => [
          // Without a file named here the distribution's /etc/rtpengine/rtpengine.conf is read as well and opens further ports.
          ...(options.config === undefined
            ? ['--config-file=none', `--interface=${HOST}`]
            : [`--config-file=${directory}/rtpengine.conf`]),
          '--foreground',
          '--log-stderr',
          // From level 4 on it logs every command that it refuses, keys and all.
          '--log-level=3',
          '--table=-1',
          `--listen-ng=${details.ng}`,
          `--listen-http=${http}`,
          `--port-min=${mediaPorts.min}`,
          `--port-max=${mediaPorts.max}`,
          '--num-threads=2',
          '--delete-delay=0',
          // Else a transcoded fork loses a voice for about ten seconds after each digit.
          '--dtmf-no-suppress',
          ...(options.args ?? []),
        ],
        probe: async (signal) => {
          await probeNg(details, signal);
          return details;
        },
      };
    },
  });
}
