// Whether rtpengine has as many ports as the calls that it is to take. Pure, but for the kernel's own range.
import { existsSync } from 'node:fs';
import { asDictionary, asList, type NgDictionary } from '@sidestream/media-relay/engine';
import type { SidestreamConfig } from '@sidestream/service';
import { type Finding, ok, warn } from './check.js';
import { ephemeralPorts, isReserved } from './port-holder.js';

/** Media ports of one interface. */
export interface MediaPorts {
  readonly name: string;
  readonly address: string;
  readonly min: number;
  readonly max: number;
  readonly used: number;
}

/** RTP and RTCP of two parties; of both voices to a recorder. */
const portsOfCall = 4;
const portsOfFork = 4;

/** What the engine's `statistics` say of its interfaces; empty where it says nothing. */
export function mediaPorts(statistics: NgDictionary[string] | undefined): MediaPorts[] {
  return asList(asDictionary(statistics)['interfaces']).flatMap((one) => {
    const { name, address, ports } = asDictionary(one);
    const { min, max, used } = asDictionary(ports);
    const isRange = Number.isInteger(Number(min)) && Number.isInteger(Number(max));
    return isRange
      ? [{ name: String(name), address: String(address), min: Number(min), max: Number(max), used: Number(used ?? 0) }]
      : [];
  });
}

/** @param forks of one call at a time, at most */
export function judgeCapacity(
  where: string,
  interfaces: readonly MediaPorts[],
  { mediaRelay: { maxSessions } }: Pick<SidestreamConfig, 'mediaRelay'>,
  forks: number,
): Finding[] {
  const perCall = portsOfCall + forks * portsOfFork;
  return [
    ...interfaces.map(({ name, address, min, max, used }) => {
      const calls = Math.floor((max - min + 1) / perCall);
      const what = `interface ${name} (${address}) has the ports ${min}–${max}, ${used} in use: ${calls} calls at ${perCall} each`;
      if (calls >= maxSessions) return ok(where, what);
      return warn(
        where,
        `${what}; mediaRelay.maxSessions is ${maxSessions}`,
        `give it ${maxSessions * perCall} ports (--port-min, --port-max), or lower mediaRelay.maxSessions to ${calls}`,
      );
    }),
    ...interfaces.flatMap((one) => judgeOverlap(where, one, ephemeralPorts())),
    kernelNote(where, existsSync('/proc/rtpengine')),
  ];
}

/** The kernel gives ports of its own range to others: a fork then finds one taken. */
export function judgeOverlap(
  where: string,
  { min, max }: MediaPorts,
  kernel: ReturnType<typeof ephemeralPorts>,
): Finding[] {
  if (kernel === undefined || max < kernel.min || min > kernel.max) return [];
  const [from, to] = [Math.max(min, kernel.min), Math.min(max, kernel.max)];
  if (isReserved(from, kernel.reserved) && isReserved(to, kernel.reserved)) return [];
  return [
    warn(
      where,
      `its ports ${from}–${to} are also those that the kernel gives to outgoing sockets (${kernel.min}–${kernel.max})`,
      `choose others, or reserve them: sysctl net.ipv4.ip_local_reserved_ports=${from}-${to}`,
    ),
  ];
}

function kernelNote(where: string, hasTable: boolean): Finding {
  const inUserSpace =
    'media goes through user space: about 200 recorded G.711 calls for each core, and no loss below that';
  return ok(where, hasTable ? 'there is a kernel table: media may be forwarded by the kernel' : inUserSpace);
}
