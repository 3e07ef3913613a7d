// What would be decided about a call, and why, in words.
import { type Decision, decide } from './decide.js';
import { keyText } from './policy-key.js';
import type { PolicySnapshot, Seller } from './policy-snapshot.js';
import { sellerIdentity } from './seller-identity.js';

/** A call that nobody made. */
export interface Question {
  readonly tenant: string;
  /** Number or SIP address of the party asked about, as it would stand in a call; it is taken for the called one. */
  readonly party: string;
  /** The other party; may be empty. */
  readonly other: string;
  readonly at: Date;
  readonly recorders: readonly string[];
  readonly enabled: boolean;
}

export interface Explanation {
  readonly decision: Decision;
  /** What of the policy matched: `+4930901820`, `+4930*`, `ada@pbx.example`; empty when nothing did. */
  readonly matched: string;
  /** One sentence. */
  readonly text: string;
}

/** Of a party that is asked about. */
const maxPartyChars = 256;

/** What is wrong with a question; undefined: nothing. */
export function questionProblem({ party, other }: Pick<Question, 'party' | 'other'>): string | undefined {
  if (party === '') return 'party must not be empty';
  return Math.max(party.length, other.length) > maxPartyChars
    ? `a party has at most ${maxPartyChars} characters`
    : undefined;
}

/** Decides as a call would be decided. */
export function explain(snapshot: PolicySnapshot | undefined, question: Question): Explanation {
  const { tenant, party, other, at, recorders, enabled } = question;
  const calling = other === '' ? [] : [{ uri: other }];
  const facts = { tenant, side: 'customer' as const, calling, called: [{ uri: party }], at, enabled };
  const decision = decide(snapshot, facts, recorders);
  const matched = matchedText(snapshot, decision);
  const start = decision.record ? 'Recorded' : 'Not recorded';
  return { decision, matched, text: `${start}: ${reasonText(snapshot, question, decision, matched)}.` };
}

function reasonText(
  snapshot: PolicySnapshot | undefined,
  { tenant, party, other }: Question,
  { reason, seller, recorders, policyRevision }: Decision,
  matched: string,
): string {
  const policy = `policy ${policyRevision} of ${tenant}`;
  const named = seller === undefined ? '' : `${matched} names ${nameOf(seller)} in ${policy}`;
  switch (reason) {
    case 'listed':
      return `${named}; recorders: ${recorders.join(', ')}`;
    case 'listed-both':
      return `${named}, which names the other party as well; the called one counts; recorders: ${recorders.join(', ')}`;
    case 'not-listed':
      return `${policy} with ${counted(snapshot?.size ?? 0)} names ${other === '' ? `nobody by ${party}` : `neither ${party} nor ${other}`}`;
    case 'no-seller-identity':
      return `${party} is neither an international number with + or 00 nor a SIP address, so that no policy can name it`;
    case 'policy-stale': {
      const { checkedAt, maxAgeMs, rule } = snapshot?.freshness ?? {};
      return `${policy} was last confirmed at ${checkedAt?.toISOString()}, longer ago than ${maxAgeMs} ms, so that the rule ${rule} decides`;
    }
    case 'no-policy':
      return `${tenant} has no policy yet`;
    case 'tenant-disabled':
      return `recording is switched off for ${tenant}`;
    case 'no-recorder':
      return `${named === '' ? `${policy} would have it recorded` : named}, but ${tenant} has no recorder`;
    default:
      return reason satisfies never;
  }
}

function nameOf({ id, name }: Seller): string {
  return name === undefined ? id : `${name} (${id})`;
}

/** The policy's entry that matched, as people write it. */
function matchedText(snapshot: PolicySnapshot | undefined, { matched, matchedBy, seller }: Decision): string {
  if (snapshot === undefined || matched === undefined || matchedBy === undefined || seller === undefined) return '';
  const { number = '', address } = sellerIdentity(matched);
  const exact = address === undefined ? '' : `${address.user}@${address.host}`;
  if (matchedBy === 'number') return number;
  if (matchedBy === 'address') return exact;
  const fits = (text: string) => {
    const [before = '', after = ''] = text.split('*');
    return matchedBy === 'prefix' ? number.startsWith(before) : exact.startsWith(before) && exact.endsWith(after);
  };
  const keys = snapshot.keys(placeOf(snapshot, seller.id), 1)[0] ?? [];
  const texts = keys.filter(({ kind }) => kind === matchedBy).map(keyText);
  return texts.filter(fits).sort((a, b) => b.length - a.length)[0] ?? '';
}

/** Users are sorted by id. */
function placeOf(snapshot: PolicySnapshot, id: string): number {
  let low = 0;
  let high = snapshot.size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((snapshot.user(middle)?.id ?? '') < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

function counted(users: number): string {
  return users === 1 ? '1 user' : `${users} users`;
}
