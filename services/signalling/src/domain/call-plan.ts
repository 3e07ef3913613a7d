// What a call is given, and what there is to see of it.
import type { Candidate, Trunk } from '@sidestream/routing';
import type { Logger } from '@sidestream/service';
import type { PlannedRecording, RecordingView } from './call-recording.js';
import type { Referrals } from './call-referrals.js';
import type { CallState } from './call-state.js';
import type { FarSide } from './far-headers.js';
import type { Party } from './parties.js';
import type {
  CallFacts,
  CallWitness,
  IncomingInvite,
  MediaRelays,
  MediaTerms,
  MonotonicClock,
  Trunking,
} from './ports.js';
import type { CallSeats } from './trunk-limits.js';

/** What there is to see of a call. */
export interface CallView {
  readonly facts: CallFacts;
  readonly phase: CallState['phase'];
  readonly answeredAt: Date | undefined;
  /** Those that began, in their order. */
  readonly recordings: readonly RecordingView[];
}

export interface CallServices {
  readonly trunking: Trunking;
  readonly relays: MediaRelays;
  readonly events: CallWitness;
  readonly clock: MonotonicClock;
  readonly log: Logger;
}

export interface CallPlan {
  readonly facts: CallFacts;
  readonly invite: IncomingInvite;
  readonly nearParty: Party;
  /** Of the trunk that it came from. */
  readonly nearTerms: MediaTerms;
  readonly nearTrunk: Trunk;
  readonly candidates: readonly Candidate[];
  /** Its places on the trunks; whoever made the plan releases them. */
  readonly seats: CallSeats;
  readonly maxForwards: number;
  /** Told what each target does: it has answered, or nobody is there. */
  readonly onTarget: (target: Candidate, answered: boolean) => void;
  /** What this trunk makes of the caller's header fields. */
  readonly callerFor: (to: Trunk) => Pick<FarSide, 'believed' | 'trusted' | 'number' | 'passHeaders'>;
  /** What a transfer of it needs to know. */
  readonly referrals: Referrals;
  /** Undefined: the call is not to be recorded. */
  readonly recording: PlannedRecording | undefined;
}
