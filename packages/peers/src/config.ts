/** What the environment says about real peers: the only place of this package that reads it. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Addresses of peers that run already, and how to look for the others. */
export interface PeerEnvironment {
  /** `NATS_URL`, e.g. `nats://127.0.0.1:4222`. */
  natsUrl: string | undefined;
  /** `RTPENGINE_NG`: `host:port` of the ng control socket. */
  rtpengineNg: string | undefined;
  /** `RTPENGINE_HTTP`: `host:port` of its metrics and CLI, beside `RTPENGINE_NG`. */
  rtpengineHttp: string | undefined;
  /** `DRACHTIO_URL`: `tcp://:secret@host:port` of the admin socket. */
  drachtioUrl: string | undefined;
  /** An absent peer is an error rather than a reason to skip (`CI` is set and not `false` or `0`). */
  required: boolean;
  /** Whether containers may be tried: `SIDESTREAM_PEERS=binaries` says no; without a Docker socket there is nothing to try. */
  containers: boolean;
}

function dockerSocketSeen(): boolean {
  if (process.env['DOCKER_HOST'] !== undefined) return true;
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const sockets = ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock')];
  if (runtime !== undefined) sockets.push(join(runtime, 'docker.sock'));
  return sockets.some((socket) => existsSync(socket));
}

/** True when continuous integration demands that nothing is skipped. */
export function peersRequired(): boolean {
  const ci = process.env['CI'];
  return ci !== undefined && !['', '0', 'false'].includes(ci.toLowerCase());
}

/** Reads the environment anew at each call, so that a test may change it. */
export function readPeerEnvironment(): PeerEnvironment {
  const set = (value: string | undefined) => (value === '' ? undefined : value);
  return {
    natsUrl: set(process.env['NATS_URL']),
    rtpengineNg: set(process.env['RTPENGINE_NG']),
    rtpengineHttp: set(process.env['RTPENGINE_HTTP']),
    drachtioUrl: set(process.env['DRACHTIO_URL']),
    required: peersRequired(),
    containers: process.env['SIDESTREAM_PEERS'] !== 'binaries' && dockerSocketSeen(),
  };
}

/** The path of an executable on PATH or in the sbin folders, which an ordinary user's PATH lacks on Debian. */
export function findExecutable(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}
