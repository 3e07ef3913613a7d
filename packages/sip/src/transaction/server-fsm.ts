// Events and effects of the two server transaction machines, so that one runner drives both.
import type { StartTimer, StopTimer } from './fsm.js';

/** Timers of RFC 3261 §17.2 (table 4) and RFC 6026 §7.1; `trying` ends in a 100 that the transaction sends itself. */
export type ServerTimer = 'trying' | 'G' | 'H' | 'I' | 'J' | 'L';

export type ServerEvent =
  | { readonly type: 'start'; readonly tryingDelayMs: number }
  /** The request came again. */
  | { readonly type: 'retransmit' }
  | { readonly type: 'ack' }
  /** The transaction user answers. */
  | { readonly type: 'respond'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: ServerTimer }
  | { readonly type: 'transport-error' };

export type ServerEffect =
  | { readonly type: 'send-trying' }
  /** Send the response that the 'respond' event brought. */
  | { readonly type: 'send-response' }
  /** Send the last response again. */
  | { readonly type: 'resend-response' }
  /** The ACK of a non-2xx has come. */
  | { readonly type: 'confirm' }
  /** An ACK that belongs to the transaction user, RFC 6026 §7.1. */
  | { readonly type: 'deliver-ack' }
  | { readonly type: 'inform-timeout' }
  | { readonly type: 'inform-transport-error' }
  | StartTimer<ServerTimer>
  | StopTimer<ServerTimer>;
