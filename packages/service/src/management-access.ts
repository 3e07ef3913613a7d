// Who may connect to the management port. Judges addresses, and knows nothing of HTTP.
import { BlockList, isIP, type Socket } from 'node:net';
import { isLoopback } from './address.js';

export class ManagementAccess {
  readonly #allowed: BlockList | undefined;

  /** @param allow addresses and networks (CIDR), as the configuration was checked; absent: anybody */
  constructor(allow?: readonly string[]) {
    if (allow === undefined) return;
    this.#allowed = new BlockList();
    for (const entry of allow) {
      const [address = '', bits] = entry.split('/');
      const family = familyOf(address);
      this.#allowed.addSubnet(address, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family);
    }
  }

  /**
   * Whether this peer may be here. This machine itself always may: by loopback, where port forwarding of Kubernetes comes from, and by
   * the address that it has called. The kubelet probes a pod on its node's network at the node's address, and what a machine sends to
   * an address of its own comes from that address.
   */
  admits({ remoteAddress, localAddress }: Pick<Socket, 'remoteAddress' | 'localAddress'>): boolean {
    if (this.#allowed === undefined) return true;
    // No address: the peer has gone already.
    if (remoteAddress === undefined) return false;
    const peer = plain(remoteAddress);
    return isLoopback(peer) || remoteAddress === localAddress || this.#allowed.check(peer, familyOf(peer));
  }
}

/** Without a zone, and without the prefix that IPv4 addresses have on sockets of both families. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
