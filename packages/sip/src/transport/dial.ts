// Opening a TCP or TLS connection, within a deadline, and checking who is there.
import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls';
import { SipError } from '../sip-error.js';
import type { Target } from './flow.js';
import { socketError } from './socket-error.js';

/** Bounds of one dial. */
export interface DialOptions {
  readonly timeoutMs: number;
  readonly minVersion: SecureVersion;
  readonly signal: AbortSignal;
}

/**
 * Connects to a target. For TLS the handshake is done and the peer's chain and name are verified when this resolves.
 * @throws SipError `tls-refused`, `transport-failed` (also after `timeoutMs`) or `cancelled`
 */
export function dial(target: Target, options: DialOptions): Promise<Socket> {
  const peer = `${target.host}:${target.port}`;
  return new Promise((resolve, reject) => {
    const socket = target.protocol === 'tls' ? openTls(target, options.minVersion) : connect(whereTo(target));
    const finish = (error?: SipError): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
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
    const onAbort = (): void => finish(new SipError('cancelled', `${peer}: connecting was cancelled`));
    const timer = setTimeout(() => {
      finish(new SipError('transport-failed', `${peer}: no connection within ${options.timeoutMs} ms`));
    }, options.timeoutMs);
    socket.once('error', onError).once('close', onClose);
    socket.once(target.protocol === 'tls' ? 'secureConnect' : 'connect', () => finish());
    options.signal.addEventListener('abort', onAbort, { once: true });
    if (options.signal.aborted) onAbort();
  });
}

function whereTo({ host, port, local }: Target): { host: string; port: number; localAddress?: string } {
  return { host, port, ...(local === undefined ? {} : { localAddress: local.host }) };
}

/**
 * The name is checked as Node does it, wildcards included, although RFC 5922 §7.2 forbids them to SIP: recorders live behind
 * cloud front doors with wildcard certificates.
 */
function openTls(target: Target, minVersion: SecureVersion): TLSSocket {
  const name = target.servername ?? target.host;
  return connectTls({
    ...whereTo(target),
    // RFC 6066 §3: SNI carries names only.
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: true,
    minVersion,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ...(target.identity === undefined ? {} : { secureContext: target.identity.secureContext(minVersion) }),
  });
}
