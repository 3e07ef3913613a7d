// Which UDP socket reaches a target, and at which address.
import { isIP, isIPv6 } from 'node:net';
import { SipError } from '../sip-error.js';
import { type AddressLookup, addressesOf } from './address-lookup.js';
import { withinBudget } from './budget.js';
import type { Flow, Target } from './flow.js';
import type { UdpListener } from './udp-listener.js';

/**
 * A flow to a UDP target on the listener that it names, else on the first one of the address's family. A host name is
 * resolved to its first address of a family that is listened on.
 * @throws SipError `not-possible` without such a listener, `transport-failed` for an unknown name or after `timeoutMs`,
 *   `cancelled`
 */
export async function udpFlow(
  target: Target,
  listeners: Iterable<UdpListener>,
  o: { readonly lookup: AddressLookup; readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<Flow> {
  const { host, port, local } = target;
  const usable = [...listeners].filter(
    (listener) => local === undefined || (listener.local.host === local.host && listener.local.port === local.port),
  );
  const find = (signal: AbortSignal) => addressesOf(host, o.lookup, signal);
  // An address is not waited for, so it needs no deadline.
  const found = isIP(host) === 0 ? await withinBudget(`${host}:${port}`, o.timeoutMs, o.signal, find) : [host];
  for (const address of found) {
    const listener = usable.find((candidate) => isIPv6(candidate.local.host) === isIPv6(address));
    if (listener !== undefined) return listener.flow({ host: address, port });
  }
  throw new SipError('not-possible', `${host}:${port}: no UDP listener to send from`);
}
