// Who holds a port of this machine, as far as Linux lets this user see: /proc tells which process has which socket.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that has the port. */
export interface PortHolder {
  readonly pid: number;
  /** One of ours: `signalling`; else the name of the program. */
  readonly program: string;
  readonly ours: boolean;
}

const ourPrograms = /\/(sip-edge|media-relay|signalling|registration|policy-sync|gateway)\/dist\/main\.js(\0|$)/;

/** Undefined: nobody, or a process that this user can't see. */
export function portHolder(protocol: 'udp' | 'tcp', port: number): PortHolder | undefined {
  const inodes = new Set([protocol, `${protocol}6`].flatMap((table) => socketInodes(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of numbersIn('/proc')) {
    if (!sockets(pid).some((inode) => inodes.has(inode))) continue;
    const command = quietly(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
    const own = ourPrograms.exec(command)?.[1];
    const name = (quietly(() => readFileSync(`/proc/${pid}/comm`, 'utf8')) ?? 'unknown').trim();
    return { pid, program: own ?? name, ours: own !== undefined };
  }
  return undefined;
}

/** The kernel's own range for outgoing sockets, without what an operator has reserved; undefined: not Linux. */
export function ephemeralPorts():
  | { readonly min: number; readonly max: number; readonly reserved: string }
  | undefined {
  const told = (file: string) => quietly(() => readFileSync(`/proc/sys/net/ipv4/${file}`, 'utf8').trim());
  const [min, max] = (told('ip_local_port_range') ?? '').split(/\s+/).map(Number);
  if (min === undefined || max === undefined) return undefined;
  return { min, max, reserved: told('ip_local_reserved_ports') ?? '' };
}

/** @param list as the kernel writes it: `8080,9000-9010` */
export function isReserved(port: number, list: string): boolean {
  return list.split(',').some((part) => {
    const [from = Number.NaN, to = from] = part.split('-').map((text) => (text === '' ? Number.NaN : Number(text)));
    return port >= from && port <= to;
  });
}

/** Listening TCP sockets (state 0A), bound UDP sockets. */
function socketInodes(table: string, port: number): string[] {
  const lines = (quietly(() => readFileSync(`/proc/net/${table}`, 'utf8')) ?? '').split('\n').slice(1);
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const isBound = table.startsWith('udp') || state === '0A';
    return isBound && Number.parseInt(local.split(':')[1] ?? '', 16) === port ? [inode] : [];
  });
}

function sockets(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return numbersIn(folder).flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(quietly(() => readlinkSync(`${folder}/${fd}`)) ?? '')?.[1];
    return inode === undefined ? [] : [inode];
  });
}

function numbersIn(folder: string): number[] {
  return (quietly(() => readdirSync(folder)) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Processes end while they are looked at, and those of others are closed to us. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
