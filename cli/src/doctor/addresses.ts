// Check `addresses`: those we tell others exist here, or are said to lead here; and from where recorders see us come.
import { createSocket } from 'node:dgram';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isLoopback, parseHostPort } from '@sidestream/service';
import { isPublicAddress } from '@sidestream/tenant-registration';
import { type Check, type Finding, fail, ok, type Probe, warn } from './check.js';
import type { Examined } from './examined.js';
import { type RecorderPlace, recorderPlaces } from './places.js';

interface Told {
  readonly key: string;
  /** What is bound. */
  readonly listen: string;
  /** What others are told instead. */
  readonly advertise?: string | undefined;
}

export const addressesCheck: Check = {
  name: 'addresses',
  about: 'listening and advertised addresses exist here; recorders see us come from the registered one',
  probes: (examined) => [...told(examined).map((one) => toldProbe(examined, one)), ...egressProbes(examined)],
};

/** What is known of the addresses of this machine. */
export interface Interfaces {
  readonly addresses: ReadonlySet<string>;
}

export function judgeListening(key: string, host: string, { addresses }: Interfaces): Finding[] {
  const isHere = addresses.has(host) || host === '0.0.0.0' || host === '::' || isLoopback(host);
  if (isHere) return [];
  return [fail(key, `${host} is on no interface of this machine`, `listen on one of ${[...addresses].join(', ')}`)];
}

/** @param found addresses of the advertised host */
export function judgeAdvertised(
  { key, listen }: { readonly key: string; readonly listen: string },
  found: readonly string[],
  { addresses }: Interfaces,
): Finding[] {
  const where = `${key} ${found.join(', ')}`;
  if (found.some((address) => addresses.has(address) || isLoopback(address)))
    return [ok(where, 'is on an interface of this machine')];
  // An address of its own for others is how the configuration says that something in front leads here.
  if (found.every(isPublicAddress))
    return [ok(where, `is on no interface: taken for NAT or a balancer that leads to ${listen}`)];
  return [
    warn(
      where,
      `is on no interface of this machine, and no public address behind which it could be`,
      `advertise an address of this machine, or see that ${where} leads to ${listen}`,
    ),
  ];
}

/** @param registered what the provider was told: an address, a network, or 0.0.0.0 for any; undefined: nothing is registered by us */
export function judgeEgress(where: string, egress: string, registered: string | undefined): Finding[] {
  if (registered === undefined || registered === '0.0.0.0')
    return [
      ok(
        where,
        `we come from ${egress}; ${registered === undefined ? 'no address is registered' : 'any address is registered'}`,
      ),
    ];
  if (contains(registered, egress)) return [ok(where, `we come from ${egress}, as registered (${registered})`)];
  const todo = `register the address that recorders see (provider.sourceIpNetwork is ${registered})`;
  if (!isPublicAddress(egress))
    return [warn(where, `we leave this machine as ${egress}: NAT must turn that into ${registered}`, todo)];
  return [fail(where, `we come from ${egress}, registered is ${registered}: the recorder likely refuses us`, todo)];
}

function told({ config }: Examined): Told[] {
  const { signalling, mediaRelay, policySync, registration, gateway, management } = config;
  const sip = signalling.edge === 'embedded' ? signalling.listen : [];
  const { advertise } = signalling;
  return [
    ...sip.map((listen, index) => ({
      key: `signalling.listen.${index}`,
      listen: listen.replace(/^\w+:/, ''),
      ...(index === 0 && { advertise }),
    })),
    { key: 'signalling.grpcListen', listen: signalling.grpcListen, advertise: signalling.grpcAdvertise },
    { key: 'mediaRelay.listen', listen: mediaRelay.listen, advertise: mediaRelay.advertise },
    { key: 'policySync.listen', listen: policySync.listen, advertise: policySync.advertise },
    { key: 'registration.listen', listen: registration.listen, advertise: registration.advertise },
    ...(gateway ? [{ key: 'gateway.listen', listen: gateway.listen }] : []),
    { key: 'management.listen', listen: management.listen },
  ];
}

function toldProbe(examined: Examined, { key, listen, advertise }: Told): Probe {
  return {
    where: key,
    todo: 'name an address of this machine',
    run: async () => {
      const here = interfaces();
      const { host } = parseHostPort(listen);
      const bound = (await examined.addressesOf(host)).flatMap((address) => judgeListening(key, address, here));
      if (bound.length > 0) return bound;
      if (advertise === undefined) return [ok(key, `${host} is here`)];
      const name = advertise.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
      const advertised = key.replace(/[lL]isten(\.\d+)?$/, (word) =>
        word.startsWith('L') ? 'Advertise' : 'advertise',
      );
      return judgeAdvertised({ key: advertised, listen }, await examined.addressesOf(name), here);
    },
  };
}

function egressProbes(examined: Examined): Probe[] {
  return recorderPlaces(examined).map((place) => ({
    where: place.where,
    todo: 'there is no way to the recorder: check routes',
    run: async () => {
      const unknown = await examined.blamesName(place.host, place.where);
      return unknown ? [unknown] : egressOf(place, await examined.addressesOf(place.host));
    },
  }));
}

async function egressOf({ where, tenant }: RecorderPlace, [address = '']: readonly string[]): Promise<Finding[]> {
  const egress = await localAddressTowards(address);
  const { provider } = tenant;
  // What never leaves this machine shows nobody's address.
  if (isLoopback(egress)) return [ok(where, `we come from ${egress}, on this machine`)];
  return judgeEgress(where, egress, provider?.register ? provider.sourceIpNetwork : undefined);
}

/** The address that the system would send from; nothing is sent. */
function localAddressTowards(address: string): Promise<string> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  return new Promise<string>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket.address().address));
    socket.connect(9, address);
  }).finally(() => socket.close());
}

function interfaces(): Interfaces {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return { addresses: new Set(all.map(({ address }) => address.replace(/%.*$/, ''))) };
}

function contains(network: string, address: string): boolean {
  const [base = '', length] = network.split('/');
  const [family, of] = [isIP(base), isIP(address)];
  if (family === 0 || family !== of) return false;
  const list = new BlockList();
  list.addSubnet(
    base,
    length === undefined ? (family === 6 ? 128 : 32) : Number(length),
    family === 6 ? 'ipv6' : 'ipv4',
  );
  return list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
