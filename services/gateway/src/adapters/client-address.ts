// From which address a request comes, also behind proxies: what X-Forwarded-For says counts only where a proxy of ours has written it.
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Of more hops nothing is believed. */
const maxHops = 20;
/** Before an IPv4 address in IPv6: RFC 4291 §2.5.5.2, RFC 6052 §2.1. */
const mapped = '0:0:0:0:0:ffff';
const nat64 = '64:ff9b:0:0:0:0';

/** What of a request is looked at. */
export type Arriving = Pick<IncomingMessage, 'headers'> & {
  readonly socket: { readonly remoteAddress?: string | undefined };
};

export class ClientAddress {
  readonly #proxies = new BlockList();

  /** @param proxies addresses and networks (CIDR) of the proxies in front of the gateway, as the configuration was checked */
  constructor(proxies: readonly string[]) {
    for (const proxy of proxies) {
      const [address = '', bits] = proxy.split('/');
      const family = familyOf(address);
      if (bits === undefined) this.#proxies.addAddress(address, family);
      else this.#proxies.addSubnet(address, Number(bits), family);
    }
  }

  /**
   * The right-most address that is no proxy's, what stands left of it anybody could have written; of IPv6 its /64, but the IPv4 address of
   * what NAT64 has translated.
   */
  of({ socket, headers }: Arriving): string {
    const { 'x-forwarded-for': told = '' } = headers;
    const hops = String(told).split(',').slice(-maxHops);
    let address = plain(socket.remoteAddress ?? '');
    while (this.#isProxy(address)) {
      const before = plain(hops.pop() ?? '');
      if (isIP(before) === 0) break;
      address = before;
    }
    return isIP(address) === 6 ? (embedded(address, nat64) ?? networkOf(address)) : address;
  }

  #isProxy(address: string): boolean {
    return isIP(address) !== 0 && this.#proxies.check(address, familyOf(address));
  }
}

/** Without what some write around it: a port, brackets, the prefix of an IPv4 address in IPv6. */
function plain(text: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(text.trim()) ?? [];
  const [, v4] = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/i.exec(text.trim()) ?? [];
  const address = v4 ?? bracketed ?? text.trim();
  return (isIP(address) === 6 ? embedded(address, mapped) : undefined) ?? address;
}

/** The IPv4 address in one of IPv6 that has this prefix, of 96 bits. */
function embedded(address: string, prefix: string): string | undefined {
  const groups = groupsOf(address);
  if (groups.slice(0, 6).join(':') !== prefix) return undefined;
  const bytes = groups.slice(6).map((group) => Number.parseInt(group, 16));
  return bytes.flatMap((two) => [two >> 8, two & 0xff]).join('.');
}

/** Of an IPv6 address the /64: whoever has one address of it has them all. */
function networkOf(address: string): string {
  return `${groupsOf(address).slice(0, 4).join(':')}::/64`;
}

/** The eight of an IPv6 address, in hexadecimal without leading zeros. */
function groupsOf(address: string): string[] {
  // URLs have one way of writing an address, and no zone.
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`);
  const [before = [], after] = hostname
    .slice(1, -1)
    .split('::')
    .map((part) => part.split(':').filter(Boolean));
  const zeros = after === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(zeros).fill('0'), ...(after ?? [])];
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
