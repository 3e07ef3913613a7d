// From which address a request comes, also behind proxies: what X-Forwarded-For says counts only where a proxy of ours has written it.
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Of more hops nothing is believed. */
const maxHops = 20;

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

  /** The right-most address that is no proxy's, what stands left of it anybody could have written; of IPv6 its /64. */
  of({ socket, headers }: Arriving): string {
    const { 'x-forwarded-for': told = '' } = headers;
    const hops = String(told).split(',').slice(-maxHops);
    let address = plain(socket.remoteAddress ?? '');
    while (this.#isProxy(address)) {
      const before = plain(hops.pop() ?? '');
      if (isIP(before) === 0) break;
      address = before;
    }
    return isIP(address) === 6 ? networkOf(address) : address;
  }

  #isProxy(address: string): boolean {
    return isIP(address) !== 0 && this.#proxies.check(address, familyOf(address));
  }
}

/** Without what some write around it: a port, brackets, the prefix of an IPv4 address in IPv6. */
function plain(text: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(text.trim()) ?? [];
  const [, v4] = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/i.exec(text.trim()) ?? [];
  return v4 ?? bracketed ?? text.trim();
}

/** Of an IPv6 address the /64: whoever has one address of it has them all. */
function networkOf(address: string): string {
  // URLs have one way of writing an address, and no zone.
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`);
  const [before = [], after] = hostname
    .slice(1, -1)
    .split('::')
    .map((part) => part.split(':').filter(Boolean));
  const zeros = after === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...(after ?? [])];
  return `${groups.slice(0, 4).join(':')}::/64`;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
