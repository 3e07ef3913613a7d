// Events and effects of the two client transaction machines, so that one runner drives both.
import type { StartTimer, StopTimer } from './fsm.js';

/** Timers of RFC 3261 §17.1 (table 4) and RFC 6026 §7.2. */
export type ClientTimer = 'A' | 'B' | 'D' | 'E' | 'F' | 'K' | 'M';

export type ClientEvent =
  | { readonly type: 'start' }
  | { readonly type: 'response'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: ClientTimer }
  /** A CANCEL for this INVITE has been sent. */
  | { readonly type: 'cancel-sent' }
  | { readonly type: 'transport-error' };

export type ClientEffect =
  | { readonly type: 'send-request' }
  /** Send the ACK of the non-2xx that has just come. */
  | { readonly type: 'send-ack' }
  /** Pass the response to the transaction user. */
  | { readonly type: 'deliver' }
  | { readonly type: 'inform-timeout' }
  | { readonly type: 'inform-transport-error' }
  | StartTimer<ClientTimer>
  | StopTimer<ClientTimer>;
