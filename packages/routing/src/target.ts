// The targets of a trunk: places that an INVITE can be sent to, in the order of RFC 2782.
import type { TrunkConfig } from '@sidestream/service';

export type TrunkProtocol = TrunkConfig['transport'];

/** What an SRV record says of its place in the order (RFC 2782). */
export interface Share {
  /** The lower one first. */
  readonly priority: number;
  /** Share among those of the same priority. */
  readonly weight: number;
}

/** One place to send the INVITE to. */
export interface Target extends Share {
  /** 'sip' or 'sips'. */
  readonly scheme: string;
  /** host or host:port, as in the configuration. */
  readonly hostPort: string;
  readonly protocol: TrunkProtocol;
}

/** A number from 0 up to, but not including, 1. */
export type Random = () => number;

export function readTarget({ uri, priority, weight }: TrunkConfig['targets'][number], usual: TrunkProtocol): Target {
  const [, scheme = 'sip', hostPort = uri, named] = /^(sips?):([^;]+)(?:;transport=(udp|tcp|tls))?$/.exec(uri) ?? [];
  const chosen = named === 'udp' || named === 'tcp' || named === 'tls' ? named : usual;
  return { scheme, hostPort, protocol: scheme === 'sips' ? 'tls' : chosen, priority, weight };
}

/** The request URI of a called user at a target, such as `sip:+15550001@10.0.0.5:5060;transport=tcp`. */
export function requestUriAt({ scheme, hostPort, protocol }: Target, user: string): string {
  const transport = protocol === 'udp' || scheme === 'sips' ? '' : `;transport=${protocol}`;
  return `${scheme}:${user === '' ? '' : `${user.replaceAll('#', '%23')}@`}${hostPort}${transport}`;
}

/** Lower priorities first; equals in an order that chance gives by weight, anew for each call (RFC 2782). */
export function inOrder<T extends Share>(targets: readonly T[], random: Random): T[] {
  const priorities = [...new Set(targets.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) =>
    byWeight(
      targets.filter((target) => target.priority === priority),
      random,
    ),
  );
}

function byWeight<T extends Share>(targets: readonly T[], random: Random): T[] {
  // Those of weight 0 come to the front, so that they have their small chance: only a draw of exactly 0 takes them.
  const left = [...targets].sort((a, b) => Math.sign(a.weight) - Math.sign(b.weight));
  const ordered: T[] = [];
  while (left.length > 0) {
    const sum = left.reduce((total, { weight }) => total + weight, 0);
    const drawn = Math.floor(random() * (sum + 1));
    let running = 0;
    const index = left.findIndex(({ weight }) => {
      running += weight;
      return running >= drawn;
    });
    ordered.push(...left.splice(Math.max(index, 0), 1));
  }
  return ordered;
}

/** The host alone, an IPv6 address without its brackets. */
export function hostOf(hostPort: string): string {
  return /^\[([^\]]+)\]/.exec(hostPort)?.[1] ?? hostPort.replace(/:\d+$/, '');
}
