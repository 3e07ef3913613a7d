// What media relays are asked and what they tell, in words of the domain.
import {
  type ForkMedia,
  Srtp,
  type StartForkResponse,
  type SessionActivity as WireActivity,
  ForkCondition as WireCondition,
  Party as WireParty,
  type VoiceRate as WireRate,
  type PartyTerms as WireTerms,
} from '@sidestream/proto/media/v1';
import { SidestreamError } from '@sidestream/service';
import type { CallActivity, PacketRates } from '../domain/call-activity.js';
import type { ForkCounts, PacketsByParty } from '../domain/media-counts.js';
import type { Party } from '../domain/parties.js';
import type { ForkCondition, ForkStream, MediaTerms, PartyTerms } from '../domain/ports.js';

const wireSrtp: Readonly<Record<MediaTerms['srtp'], Srtp>> = {
  off: Srtp.OFF,
  offer: Srtp.OFFER,
  require: Srtp.REQUIRE,
};
const conditions: Readonly<Partial<Record<WireCondition, ForkCondition>>> = {
  [WireCondition.FLOWING]: 'flowing',
  [WireCondition.STALLED]: 'stalled',
  [WireCondition.RECORDER_SILENT]: 'recorder-silent',
};
export const wireParty: Readonly<Record<Party, WireParty>> = { customer: WireParty.CUSTOMER, seller: WireParty.SELLER };

/** Of the parties of which anything is said. */
export function writeTerms(terms: PartyTerms): WireTerms[] {
  return (['customer', 'seller'] as const).flatMap((party) => {
    const own = terms[party];
    return own === undefined ? [] : [{ party: wireParty[party], codecs: [...own.codecs], srtp: wireSrtp[own.srtp] }];
  });
}

/** @throws SidestreamError `internal` for a party that is none; so do the others */
export function readStreams({ streams }: StartForkResponse): ForkStream[] {
  return streams.map(({ party, ...stream }) => ({ ...stream, party: readParty(party) }));
}

/** The customer's first. */
export function readPackets(
  counts: readonly { readonly party: WireParty; readonly packets: bigint }[],
): PacketsByParty {
  const of = (name: Party) =>
    counts.flatMap(({ party, packets }) => (party === wireParty[name] ? [[name, Number(packets)] as const] : []));
  return new Map([...of('customer'), ...of('seller')]);
}

/** Undefined where the relay does not know; without `due` from a relay of the release before. */
export function readFork({ voices, unknown }: ForkMedia): ForkCounts | undefined {
  if (unknown) return undefined;
  const due = voices.flatMap(({ party, due: packets }) => (packets === undefined ? [] : [{ party, packets }]));
  return { copied: readPackets(voices), due: due.length < voices.length ? undefined : readPackets(due) };
}

/** What flows in a session now. */
export function readActivity({ voices, forks }: WireActivity): CallActivity {
  return {
    received: readRates(voices),
    copied: new Map(forks.map(({ forkId, voices: own }) => [forkId, readRates(own)])),
  };
}

function readRates(rates: readonly WireRate[]): PacketRates {
  return new Map(rates.map(({ party, packetsPerSecond }) => [readParty(party), packetsPerSecond]));
}

/** Undefined for one that a newer relay may know, and we do not. */
export function readCondition(condition: WireCondition): ForkCondition | undefined {
  return conditions[condition];
}

function readParty(party: WireParty): Party {
  if (party === WireParty.CUSTOMER) return 'customer';
  if (party === WireParty.SELLER) return 'seller';
  throw new SidestreamError('internal', `the relay names the party ${party}`);
}
