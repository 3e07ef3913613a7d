// Addresses as people write them in the configuration.
import { hostname } from 'node:os';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Parses `host:port` or `[v6]:port`; throws an Error that names the text. */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) throw new Error(`'${text}' is not host:port`);
  return { host, port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True for 127.0.0.0/8, ::1 and `localhost`: what never leaves this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Where others reach what listens at `listen` on `port`: `advertise` may be a host or host:port; without it the host listened on. */
export function advertisedAddress(
  { listen, advertise }: { readonly listen: HostPort; readonly advertise: string | undefined },
  port: number,
): string {
  if (advertise !== undefined)
    return /^(\[.+\]|[^:]+):\d+$/.test(advertise) ? advertise : formatHostPort({ host: advertise, port });
  const wildcard = listen.host === '0.0.0.0' || listen.host === '::';
  return formatHostPort({ host: wildcard ? hostname() : listen.host, port });
}
