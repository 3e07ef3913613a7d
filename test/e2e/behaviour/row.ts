// One line of the table: a recorder's behaviour and what has to become of the recording.
import type { LaneOptions, Recorders } from './lane.js';
import type { Outcome } from './outcome.js';

/** What a row does beyond what every row does. */
export interface Row extends LaneOptions {
  /** What the recorder does, after the words "The recorder". */
  readonly name: string;
  readonly outcome: Outcome;
  /** Bound on the time without one of the voices between two parts. */
  readonly gapMs?: number;
  /** What has to be in the detail of the recording's end. */
  readonly detail?: RegExp;
  /** The call goes on until this has happened. */
  readonly until?: { readonly what: string; readonly holds: (recorders: Recorders) => boolean };
  /** Not one datagram may reach the first recorder's ports. */
  readonly untouched?: boolean;
  /** Audio is converted to this payload type for the recorder; no party speaks it. */
  readonly converted?: number;
  /** The recorder itself cannot end its session: it is dead, or has forgotten it. */
  readonly keepsSession?: boolean;
  /** How long after the end something may be left where a timer of the RFC rules; 2,000. */
  readonly graceMs?: number;
  /** What is missing in Sidestream; the test is skipped with it. */
  readonly pending?: string;
}
