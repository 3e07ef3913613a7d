// The media relays, as their leases tell.
import { z } from 'zod';

export const relayLease = z.object({
  region: z.string(),
  sessions: z.number(),
  capacity: z.number(),
  draining: z.boolean(),
});
export type RelayLease = z.output<typeof relayLease>;
