// Check `ports`: what is to be listened on is free, or held by a service of ours. Each port is bound for a moment to see it.
import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import { parseHostPort } from '@sidestream/service';
import { type Check, type Finding, fail, ok, type Probe, skipped, warn } from './check.js';
import type { Examined } from './examined.js';
import { ephemeralPorts, isReserved, type PortHolder, portHolder } from './port-holder.js';

interface Listener {
  readonly key: string;
  readonly protocol: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
}

export const portsCheck: Check = {
  name: 'ports',
  about: 'listening ports are free or held by our own services, and not of the range of outgoing sockets',
  probes: (examined) =>
    listeners(examined).map(({ key, ...listener }): Probe => {
      const where = `${key} ${listener.protocol}:${listener.port}`;
      return {
        where,
        todo: 'choose another port',
        run: async () => {
          if (listener.port === 0) return [ok(key, 'a port that the system chooses')];
          const code = await bindFailure(listener);
          return [
            ...judgePort(where, code, portHolder(listener.protocol, listener.port)),
            ...judgeRange(where, listener.port),
          ];
        },
      };
    }),
};

/** @param code of the failure to bind; undefined: it was free */
export function judgePort(where: string, code: string | undefined, holder: PortHolder | undefined): Finding[] {
  switch (code) {
    case undefined:
      return [ok(where, 'is free')];
    case 'EADDRINUSE':
      if (holder === undefined)
        return [
          warn(
            where,
            'is held by a process that this user can’t see: it may be ours',
            'run the doctor as the user of the services, or as root, or stop what holds the port',
          ),
        ];
      if (holder.ours) return [ok(where, `is held by our own ${holder.program} (pid ${holder.pid})`)];
      return [
        fail(
          where,
          `is held by ${holder.program} (pid ${holder.pid}), which is none of ours`,
          'stop it, or choose another port',
        ),
      ];
    case 'EACCES':
      return [
        fail(where, 'this user may not listen on it', 'give CAP_NET_BIND_SERVICE, or choose a port from 1024 on'),
      ];
    case 'EADDRNOTAVAIL':
      return [skipped(where, 'the address is on no interface of this machine: see addresses')];
    default:
      return [fail(where, `can’t be listened on: ${code}`, 'choose another port or address')];
  }
}

function judgeRange(where: string, port: number): Finding[] {
  const range = ephemeralPorts();
  if (range === undefined || port < range.min || port > range.max || isReserved(port, range.reserved)) return [];
  return [
    warn(
      where,
      `is one of those that the kernel gives to outgoing sockets (${range.min}–${range.max}): one day it is taken at a start`,
      'choose a port outside, or reserve it: sysctl net.ipv4.ip_local_reserved_ports',
    ),
  ];
}

function listeners({ config }: Examined): Listener[] {
  const { signalling, mediaRelay, policySync, registration, gateway, management } = config;
  const sip = signalling.edge === 'embedded' ? signalling.listen : [];
  const services: [key: string, listen: string | undefined][] = [
    ['signalling.grpcListen', signalling.grpcListen],
    ['mediaRelay.listen', mediaRelay.listen],
    ['policySync.listen', policySync.listen],
    ['registration.listen', registration.listen],
    ['gateway.listen', gateway?.listen],
    ['management.listen', management.listen],
  ];
  return [
    ...sip.map((text, index) => {
      const [, protocol = '', listen = ''] = /^(\w+):(.*)$/.exec(text) ?? [];
      const key = `signalling.listen.${index}`;
      return { key, protocol: protocol === 'udp' ? ('udp' as const) : ('tcp' as const), ...parseHostPort(listen) };
    }),
    ...services.flatMap(([key, listen]) =>
      listen === undefined ? [] : [{ key, protocol: 'tcp' as const, ...parseHostPort(listen) }],
    ),
  ];
}

/** Binds and lets go. Resolves with the code of the failure. */
function bindFailure({ protocol, host, port }: Omit<Listener, 'key'>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const failed = (error: Error) => resolve('code' in error ? String(error.code) : error.message);
    if (protocol === 'udp') {
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
      socket.once('error', failed);
      socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
      return;
    }
    const server = createServer();
    server.once('error', failed);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
