// What a call's media came to, as its relay tells when it is over.
import type { PartyPackets } from '@sidestream/proto/records/v1';
import type { Party } from './parties.js';

const parties = ['customer', 'seller'] as const;

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

/** Summed up, the customer first; none where a part is not known, for a smaller sum would be wrong. */
export function packetsOf(counts: readonly (PacketsByParty | undefined)[]): PartyPackets[] {
  if (counts.includes(undefined)) return [];
  return parties.flatMap((party) => {
    const known = counts.flatMap((one) => one?.get(party) ?? []);
    return known.length === 0 ? [] : [{ party, packets: BigInt(known.reduce((sum, packets) => sum + packets, 0)) }];
  });
}
