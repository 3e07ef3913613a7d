// What flows in a call at this moment, as its relay measures it while somebody looks.
import type { CallId } from './identifiers.js';
import type { Party } from './parties.js';

/** Packets per second, of each party. */
export type PacketRates = ReadonlyMap<Party, number>;

export interface CallActivity {
  /** What comes from them. */
  readonly received: PacketRates;
  /** What leaves for a recorder, by fork. */
  readonly copied: ReadonlyMap<string, PacketRates>;
}

/** Measures calls that live on relays. */
export interface ActivitySource {
  /**
   * By call, without those of which it is not known. Never rejects, and takes two seconds at most.
   * @param wait also those that nobody has looked at lately, for which half a second is waited
   */
  measure(calls: readonly CallId[], wait: boolean, signal: AbortSignal): Promise<ReadonlyMap<string, CallActivity>>;
}
