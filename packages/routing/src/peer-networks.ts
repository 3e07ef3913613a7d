// Which of several networks an address lies in: the most specific one.
import { BlockList, isIP } from 'node:net';

interface Network<T> {
  readonly of: T;
  readonly prefix: number;
  readonly list: BlockList;
}

/** An immutable list of networks, each of which stands for something. */
export class PeerNetworks<T> {
  /** The most specific one first; of equals, the first in the configuration. */
  readonly #networks: readonly Network<T>[];

  /** @param peers addresses and `address/prefix-length`. A host name matches no source address: only addresses prove a peer. */
  constructor(peers: Iterable<readonly [of: T, peer: string]>) {
    const networks = [...peers].flatMap(([of, peer]) => readNetwork(of, peer));
    this.#networks = networks.sort((a, b) => b.prefix - a.prefix);
  }

  /** @param address without brackets. */
  find(address: string): T | undefined {
    const family = isIP(address);
    if (family === 0) return undefined;
    return this.#networks.find(({ list }) => list.check(address, family === 4 ? 'ipv4' : 'ipv6'))?.of;
  }
}

function readNetwork<T>(of: T, peer: string): Network<T>[] {
  const [address = '', length] = peer.split('/');
  const family = isIP(address);
  if (family === 0) return [];
  const prefix = length === undefined ? (family === 4 ? 32 : 128) : Number(length);
  const list = new BlockList();
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return [{ of, prefix, list }];
}
