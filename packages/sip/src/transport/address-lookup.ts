// From a host name to its addresses, in the order in which to try them.
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { SipError } from '../sip-error.js';

/** Finds a name's addresses, best first. Rejects with any Error. */
export type AddressLookup = (host: string) => Promise<readonly string[]>;

const asked = new Map<string, Promise<readonly string[]>>();

/**
 * The system's resolver: /etc/hosts, then A and AAAA records (RFC 3263 §4.2: an explicit port means no SRV), sorted by RFC 6724. Who asks
 * for a name while it is being looked up shares the answer: each question holds one of Node's few threads, for long if DNS is away.
 */
export const systemLookup: AddressLookup = (host) => {
  const answer = asked.get(host) ?? lookUp(host).finally(() => asked.delete(host));
  asked.set(host, answer);
  return answer;
};

async function lookUp(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

/**
 * The addresses of a host, families in turn (RFC 8305 §4); an address is its own.
 * @throws SipError `transport-failed` for an unknown name; the signal's reason
 */
export async function addressesOf(host: string, find: AddressLookup, signal: AbortSignal): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  let found: readonly string[];
  try {
    // The system's resolver cannot be interrupted, so its late answer is left to itself.
    found = await unlessAborted(find(host), signal);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SipError('transport-failed', `${host}: ${reason}`, { cause });
  }
  if (found.length === 0) throw new SipError('transport-failed', `${host}: the name has no address`);
  return familiesInTurn(found);
}

function familiesInTurn(addresses: readonly string[]): string[] {
  const firstIsIPv6 = isIPv6(addresses[0] ?? '');
  const preferred = addresses.filter((address) => isIPv6(address) === firstIsIPv6);
  const others = addresses.filter((address) => isIPv6(address) !== firstIsIPv6);
  const longer = Math.max(preferred.length, others.length);
  return Array.from({ length: longer }, (_, i) => [...preferred.slice(i, i + 1), ...others.slice(i, i + 1)]).flat();
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
