// What the parts of the SIP side share.
import type { Logger } from '@sidestream/service';
import type { FlowSource, TransactionLayer } from '@sidestream/sip';
import type { DialogBook } from '../domain/dialog-book.js';
import type { AdminClient } from './admin-client.js';
import type { Destinations } from './destinations.js';
import type { EdgeDialog } from './edge-dialog.js';
import type { EdgeMetrics } from './edge-metrics.js';
import type { Listeners } from './listeners.js';

export interface EdgeContext {
  readonly layer: TransactionLayer;
  readonly transports: FlowSource;
  readonly listeners: Listeners;
  readonly destinations: Destinations;
  readonly book: DialogBook<AdminClient, EdgeDialog>;
  /** Whether messages from an address are let in. */
  isPeer(address: string): boolean;
  readonly metrics: EdgeMetrics;
  readonly log: Logger;
  /** Longest time to open a connection, in ms. */
  readonly dialDeadlineMs: number;
  /** How long a call that comes in may ring after the application's last provisional response. */
  readonly ringingDeadlineMs: number;
}
