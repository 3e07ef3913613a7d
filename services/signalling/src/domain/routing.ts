// Whose INVITE it is and where it goes: the trunk of a source address, and the targets behind its routes, in order.
// Knows configuration and addresses; nothing of messages.
import { BlockList, isIP } from 'node:net';
import type { TrunkConfig } from '@sidestream/service';
import type { Party } from './parties.js';
import type { TrunkProtocol } from './ports.js';

export interface Trunk {
  readonly name: string;
  readonly tenant: string;
  readonly side: Party;
}

/** One place to send the INVITE to. */
export interface Candidate {
  readonly trunk: Trunk;
  /** 'sip' or 'sips'. */
  readonly scheme: string;
  /** host or host:port, as in the configuration. */
  readonly hostPort: string;
  readonly protocol: TrunkProtocol;
}

interface Entry {
  readonly trunk: Trunk;
  readonly targets: readonly Candidate[];
  readonly routes: readonly string[];
}

interface Network {
  readonly trunk: Trunk;
  readonly prefix: number;
  readonly list: BlockList;
}

/** An immutable view of the configured trunks. */
export class TrunkTable {
  readonly #entries = new Map<string, Entry>();
  /** The most specific network first; of equals, the first in the configuration. */
  readonly #networks: readonly Network[];

  constructor(trunks: Readonly<Record<string, TrunkConfig>>) {
    const networks: Network[] = [];
    for (const [name, config] of Object.entries(trunks)) {
      const trunk: Trunk = { name, tenant: config.tenant, side: config.side };
      const targets = config.targets.map((target) => readTarget(trunk, target, config.transport));
      this.#entries.set(name, { trunk, targets, routes: config.routes.map((route) => route.to) });
      const peers = config.peers.length > 0 ? config.peers : targets.map((target) => hostOf(target.hostPort));
      for (const peer of peers) {
        const network = readNetwork(trunk, peer);
        if (network) networks.push(network);
      }
    }
    this.#networks = networks.sort((a, b) => b.prefix - a.prefix);
  }

  /**
   * The trunk that a request from this address belongs to; undefined for a stranger. A target's own address and port come first, so
   * that two trunks of one host stay apart; then the longest prefix decides.
   */
  ofSource(address: string, port: number): Trunk | undefined {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/^\[|\]$/g, '');
    for (const { trunk, targets } of this.#entries.values()) {
      if (targets.some((target) => target.hostPort === `${plain}:${port}` || target.hostPort === `[${plain}]:${port}`))
        return trunk;
    }
    const family = isIP(plain);
    if (family === 0) return undefined;
    return this.#networks.find(({ list }) => list.check(plain, family === 4 ? 'ipv4' : 'ipv6'))?.trunk;
  }

  /** Where a call that came from this trunk may go, best first; empty if no route leads to a target. */
  candidates(from: Trunk): readonly Candidate[] {
    const routes = this.#entries.get(from.name)?.routes ?? [];
    return routes.flatMap((to) => this.#entries.get(to)?.targets ?? []);
  }
}

/** The request URI of a called user at a target. */
export function requestUriAt(candidate: Candidate, user: string): string {
  const transport = candidate.protocol === 'udp' ? '' : `;transport=${candidate.protocol}`;
  return `${candidate.scheme}:${user === '' ? '' : `${user}@`}${candidate.hostPort}${transport}`;
}

function readTarget(trunk: Trunk, target: string, protocol: TrunkProtocol): Candidate {
  const match = /^(sips?):([^;]+)(?:;transport=(udp|tcp|tls))?$/.exec(target);
  const [, scheme = 'sip', hostPort = target, transport] = match ?? [];
  const chosen = transport === 'udp' || transport === 'tcp' || transport === 'tls' ? transport : protocol;
  return { trunk, scheme, hostPort, protocol: chosen };
}

function hostOf(hostPort: string): string {
  return /^\[([^\]]+)\]/.exec(hostPort)?.[1] ?? hostPort.replace(/:\d+$/, '');
}

/** A host name as a peer matches no source address: only addresses prove a trunk. */
function readNetwork(trunk: Trunk, peer: string): Network | undefined {
  const [address = '', length] = peer.split('/');
  const family = isIP(address);
  if (family === 0) return undefined;
  const prefix = length === undefined ? (family === 4 ? 32 : 128) : Number(length);
  const list = new BlockList();
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return { trunk, prefix, list };
}
