// The policy as the call path uses it: an immutable index, swapped as a whole. Where it comes from is a service's business.
import { normaliseNumber } from './normalise-number.js';
import { PolicyError, type PolicyProblem } from './policy-error.js';
import { sellerIdentity } from './seller-identity.js';

export interface SellerRule {
  readonly id: string;
  readonly name?: string;
  /** International numbers, with or without visual separators. */
  readonly numbers: readonly string[];
  /** `sip:user@host` or `user@host`. */
  readonly addresses: readonly string[];
}

export interface Seller {
  readonly id: string;
  readonly name?: string;
}

export interface PolicySnapshot {
  readonly revision: string;
  readonly fetchedAt: Date;
  /** Sellers by number (`+` and digits) and by lower-case `user@host`. */
  readonly byNumber: ReadonlyMap<string, Seller>;
  readonly byAddress: ReadonlyMap<string, Seller>;
  /** How many sellers the policy names. */
  readonly size: number;
}

/** Where a snapshot comes from: its revision, and when it was fetched. */
export interface PolicyOrigin {
  readonly revision: string;
  readonly fetchedAt: Date;
  /** What an error calls the policy; its revision when absent. */
  readonly source?: string;
}

/**
 * The index of the rules. An empty list is a policy too: nobody is recorded.
 * @throws PolicyError when an id is used twice, a number or address is unusable, or two sellers share one: whom a call
 * belongs to must not depend on the order of a list
 */
export function compilePolicy(rules: readonly SellerRule[], origin: PolicyOrigin): PolicySnapshot {
  const problems: PolicyProblem[] = [];
  const byNumber = new Map<string, Seller>();
  const byAddress = new Map<string, Seller>();
  const ids = new Set<string>();
  for (const [index, rule] of rules.entries()) {
    const path = `users[${index}]`;
    const seller: Seller = rule.name === undefined ? { id: rule.id } : { id: rule.id, name: rule.name };
    const add = (map: Map<string, Seller>, at: string, value: string, key: string | undefined, kind: string) => {
      const other = key === undefined ? undefined : map.get(key);
      if (key === undefined) problems.push({ path: at, message: `${JSON.stringify(value)} is not ${kind}` });
      else if (other !== undefined && other.id !== rule.id) {
        problems.push({ path: at, message: `${JSON.stringify(value)} belongs to ${JSON.stringify(other.id)} already` });
      } else map.set(key, seller);
    };
    if (ids.has(rule.id)) {
      problems.push({ path: `${path}.id`, message: `${JSON.stringify(rule.id)} is the id of another user` });
    }
    ids.add(rule.id);
    for (const [at, number] of rule.numbers.entries()) {
      const kind = 'an international number with + or 00';
      add(byNumber, `${path}.numbers[${at}]`, number, normaliseNumber(number), kind);
    }
    for (const [at, address] of rule.addresses.entries()) {
      add(byAddress, `${path}.addresses[${at}]`, address, sellerIdentity(address).address, 'a SIP address user@host');
    }
  }
  if (problems.length > 0) throw new PolicyError(origin.source ?? `revision ${origin.revision}`, problems);
  const { revision, fetchedAt } = origin;
  return Object.freeze({ revision, fetchedAt, byNumber, byAddress, size: rules.length });
}
