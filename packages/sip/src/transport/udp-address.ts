// Which UDP socket reaches a target, and at which address.
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { SipError } from '../sip-error.js';
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
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Flow> {
  const { local } = target;
  const usable = [...listeners].filter(
    (listener) => local === undefined || (listener.local.host === local.host && listener.local.port === local.port),
  );
  for (const address of await addressesOf(target, timeoutMs, signal)) {
    const listener = usable.find((candidate) => isIPv6(candidate.local.host) === isIPv6(address));
    if (listener !== undefined) return listener.flow({ host: address, port: target.port });
  }
  throw new SipError('not-possible', `${target.host}:${target.port}: no UDP listener to send from`);
}

async function addressesOf(target: Target, timeoutMs: number, signal: AbortSignal | undefined): Promise<string[]> {
  if (isIP(target.host) !== 0) return [target.host];
  const deadline = AbortSignal.timeout(timeoutMs);
  // Node 20 collects a time-out that only AbortSignal.any() knows, and then it never fires; a listener of its own keeps it.
  deadline.addEventListener('abort', () => undefined, { once: true });
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  try {
    // The system's resolver cannot be interrupted, so its late answer is left to itself.
    const found = await Promise.race([lookup(target.host, { all: true }), aborted(either)]);
    return found.map((entry) => entry.address);
  } catch (cause) {
    if (signal?.aborted) throw new SipError('cancelled', `${target.host}: looking up was cancelled`);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SipError('transport-failed', `${target.host}: ${reason}`, { cause });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
