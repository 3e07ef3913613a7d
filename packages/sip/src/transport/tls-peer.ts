// What is worth knowing of a finished TLS handshake.
import type { TLSSocket } from 'node:tls';
import type { TlsPeer } from './flow.js';
import { sipIdentities } from './sip-identities.js';

/** Our own side of a handshake, which the socket does not tell. */
export interface TlsOwn {
  readonly ownSubject?: string | undefined;
  readonly servername?: string | undefined;
}

/** Describes a handshaken socket. */
export function tlsPeer(socket: TLSSocket, own: TlsOwn): TlsPeer {
  const certificate = socket.getPeerX509Certificate();
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher()?.name ?? 'unknown',
    peerSubject: certificate && oneLine(certificate.subject),
    peerIssuer: certificate && oneLine(certificate.issuer),
    peerIdentities: socket.authorized ? sipIdentities(certificate?.subjectAltName) : [],
    ownSubject: own.ownSubject,
    authorized: socket.authorized,
    servername: own.servername ?? (typeof socket.servername === 'string' ? socket.servername : undefined),
  };
}

function oneLine(name: string): string {
  return name.split('\n').join(', ');
}
