// Which relay a new call gets: the least loaded one of our region that is not draining, from the leases; the configured ones when
// no lease is known there, which is the cold start without NATS.

export interface RelayLease {
  /** gRPC address, host:port. */
  readonly address: string;
  readonly region: string;
  readonly sessions: number;
  readonly capacity: number;
  readonly draining: boolean;
}

/**
 * The addresses to try, best first. `pending` counts sessions that we opened and the lease does not show yet, so that a burst does
 * not fall on one relay. Equal load is broken by the given random number in [0, 1), so that instances do not march in step.
 *
 * @param region undefined: any region's will do
 */
export function rankRelays(
  leases: Iterable<RelayLease>,
  configured: readonly string[],
  region: string | undefined,
  pending: ReadonlyMap<string, number>,
  random: () => number,
): string[] {
  const known = [...leases].filter((lease) => region === undefined || lease.region === region);
  if (known.length === 0) return shuffled(configured, random);
  return known
    .filter((lease) => !lease.draining)
    .map((lease) => ({ lease, used: lease.sessions + (pending.get(lease.address) ?? 0), tie: random() }))
    .filter(({ lease, used }) => used < lease.capacity)
    .sort((a, b) => a.used / a.lease.capacity - b.used / b.lease.capacity || a.tie - b.tie)
    .map(({ lease }) => lease.address);
}

function shuffled(addresses: readonly string[], random: () => number): string[] {
  return addresses
    .map((address) => ({ address, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ address }) => address);
}
