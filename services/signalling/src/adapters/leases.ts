// Who is there: the relays' leases as they are read from NATS, and our own.
import { type Bus, LeaseBook, LeaseKeeper, type Logger } from '@sidestream/service';
import { z } from 'zod';
import type { RelayLease } from '../domain/relay-choice.js';

/** As relays write it. */
export const relayLease = z.object({
  address: z.string(),
  region: z.string(),
  sessions: z.number(),
  capacity: z.number(),
  draining: z.boolean(),
});

/** The relays that are known now; the last known ones while NATS is away. */
export function followRelays(bus: Bus, log: Logger): LeaseBook<RelayLease> {
  return new LeaseBook<RelayLease>(bus, { prefix: 'relay.', schema: relayLease, log });
}

/** What others see of this instance. */
export interface SignallingLease {
  /** Of SIP, as trunks reach it. */
  readonly address: string;
  /** Where the service Calls listens. */
  readonly grpc: string;
  readonly calls: number;
  readonly capacity: number;
  readonly draining: boolean;
  /** When this process began: calls of this instance from before have gone with the process before it. */
  readonly since: string;
}

export function keepLease(
  bus: Bus,
  id: string,
  value: () => SignallingLease,
  log: Logger,
): LeaseKeeper<SignallingLease> {
  return new LeaseKeeper(bus, { key: `signalling.${id}`, value, log });
}
