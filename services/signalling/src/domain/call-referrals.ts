// What a call asks when one of its parties is referred to somebody else: where that leads, who it is, and whether it is recorded then.
import type { Candidate, Trunk } from '@sidestream/routing';
import type { ReferTarget, Replaces, SipUri } from '@sidestream/sip';
import type { CallSide } from './call-join.js';
import type { PlannedRecording } from './call-recording.js';
import type { NamedTarget } from './call-redirections.js';
import type { FarSide } from './far-headers.js';
import type { Party } from './parties.js';
import type { CallFacts, IdentityClaim } from './ports.js';

export interface Referrals {
  /**
   * The places where the referring trunk may reach the target: along its own routes, by the number. The host in the reference counts
   * for nothing, or anybody could be called through us. Empty if no route takes the call.
   */
  route(from: Trunk, call: CallFacts, target: Pick<ReferTarget, 'uri'>): readonly Candidate[];
  /** The same for whom a target of this trunk has named in its place: its number plan says what the number means, the caller's routes lead there. */
  redirect(from: Trunk, by: Trunk, call: CallFacts, uri: SipUri): readonly Candidate[];
  /** What a trunk makes of the identity of a party behind another one. */
  callerFor(from: Trunk, to: Trunk): Pick<FarSide, 'believed' | 'trusted' | 'number' | 'passHeaders'>;
  /**
   * The call with the target in a party's place. A new seller is decided on anew.
   * @param from the trunk whose number plan says what the target's number means
   */
  regard(call: CallFacts, party: Party, target: Pick<NamedTarget, 'uri' | 'name'>, from: Trunk): CallFacts;
  /** Who a party behind this trunk says that it is; undefined where its word counts for nothing. */
  identify(claim: IdentityClaim, trunk: Trunk): NamedTarget | undefined;
  /** The number that somebody behind one trunk names, as the other one dials it; empty if there is none. */
  numberFor(from: Trunk, to: Trunk, uri: SipUri): string;
  /** The leg of a live call that this names, with whom this trunk may do so; a status where it may not, or where there is no such leg any more. */
  legNamed(replaces: Replaces, from: Trunk): CallSide | { readonly refused: number } | undefined;
  /** What records the call as it is now. */
  record(call: CallFacts): PlannedRecording;
}
