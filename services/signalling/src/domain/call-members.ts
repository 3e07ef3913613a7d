// Who is in the call, and behind which trunk: as it was decided at first, and after each transfer and redirection.
import type { Candidate, Trunk } from '@sidestream/routing';
import { formatNameAddr } from '@sidestream/sip';
import type { CallPlan } from './call-plan.js';
import type { NamedTarget } from './call-redirections.js';
import { farHeaders } from './far-headers.js';
import { opposite, type Side } from './offer-answer.js';
import type { Identity, Party } from './parties.js';
import type { CallFacts, SipFields } from './ports.js';

export class CallMembers {
  readonly #plan: CallPlan;
  readonly #trunks: Record<Side, Trunk>;
  #facts: CallFacts;

  constructor(plan: CallPlan) {
    this.#plan = plan;
    this.#facts = plan.facts;
    this.#trunks = { near: plan.nearTrunk, far: plan.nearTrunk };
  }

  /** As they are now. */
  get facts(): CallFacts {
    return this.#facts;
  }

  trunkOf(side: Side): Trunk {
    return this.#trunks[side];
  }

  /** The far side has been found behind this trunk. */
  farIs(trunk: Trunk): void {
    this.#trunks.far = trunk;
  }

  identityOf(side: Side): Identity {
    const { calling, called } = this.#facts.parties;
    return side === 'near' ? calling : called;
  }

  partyOf(side: Side): Party {
    const { nearParty } = this.#plan;
    if (side === 'near') return nearParty;
    return nearParty === 'customer' ? 'seller' : 'customer';
  }

  /** Another party, whom the one in its place has named, is there behind this trunk from now on. A new seller is decided on anew. */
  succeed(side: Side, named: NamedTarget, trunk: Trunk): void {
    this.#facts = this.#plan.referrals.regard(this.#facts, this.partyOf(side), named, named.by);
    this.#trunks[side] = trunk;
  }

  /** Whether this is another one than the party on this side. */
  isAnother(side: Side, { uri }: NamedTarget): boolean {
    const { user, anonymous } = this.identityOf(side);
    const hidden = uri.host.toLowerCase() === 'anonymous.invalid';
    return anonymous || hidden ? anonymous !== hidden : (uri.user ?? '') !== user;
  }

  /**
   * Of the INVITE to a transfer target, in the name of the party that stays.
   *
   * @param left who has referred
   * @param own our address towards the target, whose URI is `to`
   */
  headersFor(left: Side, { trunk }: Candidate, to: string, own: string): SipFields {
    const { invite, maxForwards, referrals } = this.#plan;
    const stays = opposite(left);
    const caller = referrals.callerFor(this.#trunks[stays], trunk);
    const { called, calling } = this.#facts.parties;
    const from = formatNameAddr({ displayName: called.name, uri: `sip:${called.user}@${own}`, parameters: new Map() });
    const party =
      stays === 'near' ? invite : { requestUri: to, header: (name: string) => (name === 'from' ? from : undefined) };
    const referrer = left === 'near' ? calling : called;
    // RFC 3892 §2.2; whoever referred is known to us, and no host of its side is told.
    const by = referrer.user === '' ? {} : { 'Referred-By': `<sip:${referrer.user}@${own}>` };
    return { ...farHeaders(party, { own, to, maxForwards, ...caller }), ...by };
  }
}
