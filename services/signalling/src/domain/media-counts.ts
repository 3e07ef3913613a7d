// What a call's media came to, as its relay tells when it is over.
import type { Party } from './parties.js';

export type PacketsByParty = ReadonlyMap<Party, number>;

export interface MediaCounts {
  /** Packets of voice that came. */
  readonly received: PacketsByParty;
  /** Those that left for a recorder, by fork. */
  readonly copied: ReadonlyMap<string, PacketsByParty>;
}

/** Nothing is known. */
export const noCounts: MediaCounts = { received: new Map(), copied: new Map() };
