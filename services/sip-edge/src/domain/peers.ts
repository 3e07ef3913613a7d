// Who may speak to the edge: addresses and networks. Knows nothing of sockets and of DNS.
import { BlockList, isIP } from 'node:net';

/** A flood from many forged addresses must not fill the memory. */
const maxKnown = 4_096;

/** An immutable set of addresses and CIDR networks, IPv4 and IPv6. */
export class PeerSet {
  readonly #list = new BlockList();
  /** Answers given so far: every datagram asks, and a check costs as much as reading its header lines. */
  readonly #known = new Map<string, boolean>();

  /**
   * @param entries IP addresses or `address/prefix-length`.
   * @throws Error naming the entry that is neither.
   */
  constructor(entries: Iterable<string>) {
    for (const entry of entries) {
      const [address = '', length] = entry.split('/');
      const family = isIP(address);
      if (family === 0) throw new Error(`'${entry}' is not an IP address or address/prefix-length`);
      const type = family === 4 ? 'ipv4' : 'ipv6';
      if (length === undefined) this.#list.addAddress(address, type);
      else this.#list.addSubnet(address, Number(length), type);
    }
  }

  /** True for a member. An IPv4 address mapped into IPv6, as dual-stack sockets show it, counts as the IPv4 address. */
  has(address: string): boolean {
    let member = this.#known.get(address);
    if (member === undefined) {
      member = this.#check(address);
      if (this.#known.size >= maxKnown) this.#known.clear();
      this.#known.set(address, member);
    }
    return member;
  }

  #check(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
    const family = isIP(plain);
    if (family === 0) return false;
    return this.#list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }
}
