// The decision: record this call or not, and why. Pure, because it stands on the call path and is explained afterwards.
import { normaliseNumber } from './normalise-number.js';
import type { PolicySnapshot, Seller } from './policy-snapshot.js';
import { sellerIdentity } from './seller-identity.js';

/** One way in which the seller's side of a call is named. */
export interface SellerCandidate {
  /** A SIP or tel URI, with or without angle brackets. */
  readonly uri: string;
  /** The number, when the trunk knows it better than the URI does. */
  readonly number?: string;
}

export interface CallFacts {
  readonly tenant: string;
  /** From the seller's side. */
  readonly direction: 'inbound' | 'outbound';
  /**
   * Most trusted first: Request-URI and To of an inbound call, P-Asserted-Identity and From of an outbound one. The first that
   * identifies anybody says who the seller is; the others are not asked.
   */
  readonly sellerParty: readonly SellerCandidate[];
  /** An emergency call is decided like any other; that it never waits for a recorder is the call's business. */
  readonly emergency?: boolean;
}

export type DecisionReason =
  /** The policy names the seller. */
  | 'listed'
  /** The policy does not name the seller. */
  | 'not-listed'
  /** There is no usable policy: nobody is recorded without one. */
  | 'no-policy'
  /** The seller's side has neither a number nor an address. */
  | 'no-seller-identity'
  /** The policy names the seller, but the tenant has no recorder. */
  | 'no-recorder';

export interface Decision {
  readonly record: boolean;
  readonly reason: DecisionReason;
  /** Whom the policy names, when it does. */
  readonly seller?: Seller;
  /** The URI by which the policy names the seller. Personal: not for logs. */
  readonly matched?: string;
  /** Revision of the policy that decided; empty without one. */
  readonly policyRevision: string;
  /** Recorders to use, in order; empty when the call is not recorded. */
  readonly recorders: readonly string[];
}

const maxCandidates = 16;

/**
 * Decides a call once. Never throws. The first of at most 16 candidates with a number or an address decides: a weaker identity must
 * not bring a listed name into the call of somebody else, whose stronger one says who it is.
 */
export function decide(snapshot: PolicySnapshot | undefined, facts: CallFacts, recorders: readonly string[]): Decision {
  if (snapshot === undefined) return { record: false, reason: 'no-policy', policyRevision: '', recorders: [] };
  const refused = (reason: DecisionReason): Decision => ({
    record: false,
    reason,
    policyRevision: snapshot.revision,
    recorders: [],
  });
  for (const { uri, number } of facts.sellerParty.slice(0, maxCandidates)) {
    const identity = sellerIdentity(uri);
    const known = (number === undefined ? undefined : normaliseNumber(number)) ?? identity.number;
    const { address } = identity;
    if (known === undefined && address === undefined) continue;
    const seller =
      (known === undefined ? undefined : snapshot.byNumber.get(known)) ??
      (address === undefined ? undefined : snapshot.byAddress.get(address));
    if (seller === undefined) return refused('not-listed');
    const named = { seller, matched: uri };
    if (recorders.length === 0) return { ...refused('no-recorder'), ...named };
    return { record: true, reason: 'listed', ...named, policyRevision: snapshot.revision, recorders: [...recorders] };
  }
  return refused('no-seller-identity');
}
