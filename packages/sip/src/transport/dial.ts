// Opening a TCP or TLS connection to one of a host's addresses, within one budget, and checking who is there.
import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls';
import { SipError } from '../sip-error.js';
import { type AddressLookup, addressesOf } from './address-lookup.js';
import { raceAddresses } from './address-race.js';
import { withinBudget } from './budget.js';
import type { Target } from './flow.js';
import { socketError } from './socket-error.js';

/** Bounds of one dial. */
export interface DialOptions {
  /** For everything together: looking up, connecting to whichever address, handshaking. */
  readonly timeoutMs: number;
  readonly minVersion: SecureVersion;
  readonly lookup: AddressLookup;
  readonly signal: AbortSignal;
}

/**
 * Connects to a target: its addresses are looked up anew and raced. For TLS the handshake is done and the peer's chain and name
 * are verified when this resolves.
 * @throws SipError `tls-refused`, `transport-failed` (also after `timeoutMs`) or `cancelled`
 */
export function dial(target: Target, options: DialOptions): Promise<Socket> {
  const { host, port, local } = target;
  const peer = `${host}:${port}`;
  return withinBudget(peer, options.timeoutMs, options.signal, async (signal) => {
    const found = await addressesOf(host, options.lookup, signal);
    const usable = found.filter((address) => local === undefined || isIPv6(address) === isIPv6(local.host));
    if (usable.length === 0)
      throw new SipError('transport-failed', `${peer}: no address of the family of ${local?.host}`);
    return raceAddresses(
      usable,
      (address, given) => connected(target, address, options.minVersion, given),
      (late) => void late.destroy(),
      signal,
    );
  });
}

function connected(target: Target, address: string, minVersion: SecureVersion, signal: AbortSignal): Promise<Socket> {
  const { host, port } = target;
  const peer = address === host ? `${host}:${port}` : `${host}:${port} (${address})`;
  return new Promise((resolve, reject) => {
    const tls = target.protocol === 'tls';
    const socket = tls ? openTls(target, address, minVersion) : connect(whereTo(target, address));
    const finish = (error?: SipError): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      // A late error of a socket that nobody waits for must not end the process.
      socket.on('error', () => undefined).destroy();
      reject(error);
    };
    const onError = (error: Error): void => finish(socketError(peer, error));
    const onClose = (): void => finish(new SipError('transport-failed', `${peer}: closed while connecting`));
    const onAbort = (): void => finish(new SipError('cancelled', `${peer}: connecting was given up`));
    socket.once('error', onError).once('close', onClose);
    socket.once(tls ? 'secureConnect' : 'connect', () => finish());
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function whereTo({ port, local }: Target, address: string): { host: string; port: number; localAddress?: string } {
  return { host: address, port, ...(local === undefined ? {} : { localAddress: local.host }) };
}

/**
 * The name is checked as Node does it, wildcards included, although RFC 5922 §7.2 forbids them to SIP: recorders live behind
 * cloud front doors with wildcard certificates. Whatever the address, SNI and the name to check are the host's.
 */
function openTls(target: Target, address: string, minVersion: SecureVersion): TLSSocket {
  const name = target.servername ?? target.host;
  return connectTls({
    ...whereTo(target, address),
    // RFC 6066 §3: SNI carries names only.
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: true,
    minVersion,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ...(target.identity === undefined ? {} : { secureContext: target.identity.secureContext(minVersion) }),
  });
}
