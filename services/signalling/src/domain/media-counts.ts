// What a call's media came to, as its relay tells when it is over.
import type { Party } from './parties.js';

export type PacketsByParty = ReadonlyMap<Party, number>;

/** Packets of each voice, while a fork was to carry them. */
export interface ForkCounts {
  /** That left for the recorder. */
  readonly copied: PacketsByParty;
  /** That the party sent; undefined where the relay does not tell. */
  readonly due: PacketsByParty | undefined;
}

export interface MediaCounts {
  /** Packets of voice that came. */
  readonly received: PacketsByParty;
  /** Of every fork that was ever answered; undefined for one of which it is not known. */
  readonly forks: ReadonlyMap<string, ForkCounts | undefined>;
}

/** Nothing is known. */
export const noCounts: MediaCounts = { received: new Map(), forks: new Map() };
