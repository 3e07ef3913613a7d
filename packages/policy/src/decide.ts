// The decision: record this call or not, and why. Pure, because it stands on the call path and is explained afterwards.
import { normaliseNumber } from './normalise-number.js';
import type { Freshness, Match, PolicySnapshot, Seller } from './policy-snapshot.js';
import { sellerIdentity } from './seller-identity.js';

/** One way in which a party of a call is named. */
export interface SellerCandidate {
  /** A SIP or tel URI, with or without angle brackets. */
  readonly uri: string;
  /** The number, when the trunk knows it better than the URI does. */
  readonly number?: string;
}

export interface CallFacts {
  readonly tenant: string;
  /** Who is behind the trunk that the call came from, and so its calling party, when the policy names nobody. */
  readonly side: 'customer' | 'seller';
  /**
   * Who calls, most trusted first: P-Asserted-Identity, From. The first candidate that identifies anybody says who the party is;
   * the others are not asked.
   */
  readonly calling: readonly SellerCandidate[];
  /** Who is called, likewise: Request-URI, To. */
  readonly called: readonly SellerCandidate[];
  /** When the call came in: what the policy's age is measured at. */
  readonly at: Date;
  /** False: the tenant's recording is switched off. */
  readonly enabled?: boolean;
  /** An emergency call is decided like any other; that it never waits for a recorder is the call's business. */
  readonly emergency?: boolean;
}

export type CallParty = 'calling' | 'called';

export type DecisionReason =
  /** The policy names one of the parties. */
  | 'listed'
  /** The policy names both; the called one is the seller. */
  | 'listed-both'
  /** The policy names neither. */
  | 'not-listed'
  /** The source has not confirmed the policy for too long, and the tenant's rule for that decided. */
  | 'policy-stale'
  /** There is no usable policy: nobody is recorded without one. */
  | 'no-policy'
  /** The tenant's recording is switched off. */
  | 'tenant-disabled'
  /** The policy names neither, and the party on the seller's side has neither a number nor an address. */
  | 'no-seller-identity'
  /** The call would be recorded, but the tenant has no recorder. */
  | 'no-recorder';

/** What decisions there can be: of each outcome its reasons. */
export const decisionReasons: Readonly<Record<'true' | 'false', readonly DecisionReason[]>> = {
  true: ['listed', 'listed-both', 'policy-stale'],
  false: ['not-listed', 'policy-stale', 'no-policy', 'tenant-disabled', 'no-seller-identity', 'no-recorder'],
};

export interface Decision {
  readonly record: boolean;
  readonly reason: DecisionReason;
  /** Who the seller is: whom the policy names, else the party on the seller's side of the trunk. */
  readonly party: CallParty;
  /** Whom the policy names, when it does. */
  readonly seller?: Seller;
  /** The URI by which the policy names the seller. Personal: not for logs. */
  readonly matched?: string;
  /** The kind of the policy's entry that it matches. */
  readonly matchedBy?: Match['by'];
  /** Revision of the policy that decided; empty without one. */
  readonly policyRevision: string;
  /** Recorders to use, in order; empty when the call is not recorded. */
  readonly recorders: readonly string[];
}

const maxCandidates = 16;

/** Decides a call once. Never throws; what decides between several answers is the README's subject. */
export function decide(snapshot: PolicySnapshot | undefined, facts: CallFacts, recorders: readonly string[]): Decision {
  const party = facts.side === 'seller' ? 'calling' : 'called';
  const policyRevision = snapshot?.revision ?? '';
  const refuse = (reason: DecisionReason): Decision => ({
    record: false,
    reason,
    party,
    policyRevision,
    recorders: [],
  });
  if (facts.enabled === false) return refuse('tenant-disabled');
  if (snapshot === undefined) return refuse('no-policy');
  const parties = { calling: find(snapshot, facts.calling), called: find(snapshot, facts.called) };
  const { reason, named, ...found } = seller(parties, party);
  const stale = isStale(snapshot.freshness, facts.at) ? snapshot.freshness?.rule : 'keep';
  const wanted = stale === 'keep' ? named : stale === 'record-all';
  const why = stale === 'keep' ? reason : 'policy-stale';
  if (!wanted) return { ...refuse(why), ...found };
  if (recorders.length === 0) return { ...refuse('no-recorder'), ...found };
  return { record: true, reason: why, ...found, policyRevision, recorders: [...recorders] };
}

/** What the policy says of one party. */
type Found = { readonly match: Match; readonly uri: string } | 'unlisted' | 'unidentified';

/** Who of the two is the seller: a listed called party before a listed calling one, before the expected one. */
function seller({ calling, called }: Record<CallParty, Found>, expected: CallParty) {
  const named = (party: CallParty, { match, uri }: Exclude<Found, string>, reason: DecisionReason) => ({
    reason,
    named: true,
    party,
    seller: match.seller,
    matched: uri,
    matchedBy: match.by,
  });
  if (typeof called === 'object')
    return named('called', called, typeof calling === 'object' ? 'listed-both' : 'listed');
  if (typeof calling === 'object') return named('calling', calling, 'listed');
  const side = expected === 'called' ? called : calling;
  const reason: DecisionReason = side === 'unlisted' ? 'not-listed' : 'no-seller-identity';
  return { reason, named: false, party: expected };
}

/**
 * The first of at most 16 candidates with a number or an address decides: a weaker identity must not bring a listed name into the
 * call of somebody else, whose stronger one says who it is.
 */
function find(snapshot: PolicySnapshot, candidates: readonly SellerCandidate[]): Found {
  for (const { uri, number } of candidates.slice(0, maxCandidates)) {
    const identity = sellerIdentity(uri);
    const known = (number === undefined ? undefined : normaliseNumber(number)) ?? identity.number;
    if (known === undefined && identity.address === undefined) continue;
    const match = snapshot.find(known === undefined ? identity : { ...identity, number: known });
    return match === undefined ? 'unlisted' : { match, uri };
  }
  return 'unidentified';
}

function isStale(freshness: Freshness | undefined, at: Date): boolean {
  // Written so that a time that is none is stale.
  return freshness !== undefined && !(at.getTime() - freshness.checkedAt.getTime() <= freshness.maxAgeMs);
}
