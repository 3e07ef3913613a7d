// The three base values of RFC 3261 §17.1.1.1 from which every timer of a transaction is made.

/** Base timer values, in milliseconds. */
export interface TimerValues {
  /** Estimate of the round-trip time. */
  readonly t1: number;
  /** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
  readonly t2: number;
  /** Longest time that a message stays in the network. */
  readonly t4: number;
}

/** The values of RFC 3261 §17.1.1.1. */
export const defaultTimers: TimerValues = { t1: 500, t2: 4000, t4: 5000 };
