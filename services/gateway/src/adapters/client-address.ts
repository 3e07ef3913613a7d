// Whose address a request comes from, also behind proxies: what X-Forwarded-For says counts only where a proxy of ours has written it.
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

  /** The right-most address that is no proxy's: what stands left of it anybody could have written. */
  of({ socket, headers }: Arriving): string {
    const { 'x-forwarded-for': told = '' } = headers;
    const hops = String(told).split(',').slice(-maxHops);
    let address = plain(socket.remoteAddress ?? '');
    while (this.#isProxy(address)) {
      const before = plain(hops.pop() ?? '');
      if (isIP(before) === 0) break;
      address = before;
    }
    return address;
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

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
