// One flow of the table: who does what, and what has to become of the call.
import type { LaboratoryConfig } from '@sidestream/cli';
import type { Step } from './steps.js';

export type Protocol = 'udp' | 'tcp';

/** Names of the parties of a flow; the caller begins. The third one stands behind the same trunk as the callee. */
export type PartyName = 'caller' | 'callee' | 'third';

type Trunk = LaboratoryConfig['trunks'][string];

/** What a trunk's keys may refer to. */
export interface TrunkNames {
  /** The trunk of those who are called. */
  readonly far: string;
  /** Holds the password of logins. */
  readonly passwordFile: string;
}

export interface Scenario {
  /** The flow's name, after its clause. */
  readonly name: string;
  readonly caller: readonly Step[];
  /** Absent: nobody there, and no call may come. */
  readonly callee?: readonly Step[];
  readonly third?: readonly Step[];
  /** Both without it. */
  readonly protocol?: Protocol;
  /** The callee's, where it differs from the caller's. */
  readonly calleeProtocol?: Protocol;
  /** The seller calls the customer. */
  readonly outbound?: boolean;
  /** How the call ends, and that it was recorded; undefined: no call comes about. */
  readonly ends?: string;
  /** Whether a recorder hears the call; it does where the call ends with a hang-up. */
  readonly recorded?: boolean;
  /** sipp sends nothing again by itself and hears every copy: for flows in which messages are lost. */
  readonly withoutRetransmission?: boolean;
  readonly callerTrunk?: (names: TrunkNames) => Partial<Trunk>;
  readonly calleeTrunk?: (names: TrunkNames) => Partial<Trunk>;
  /** What is missing in Sidestream; the test is skipped with it. */
  readonly pending?: string;
}

/** Flows of one document or subject. */
export interface Group {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
}
