// Mutual TLS for the links inside: both sides show a certificate of the same authority.
import { readFileSync } from 'node:fs';
import { checkServerIdentity } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import type { GrpcTls, TlsFiles } from '../config/schema.js';

/** Server side. Without files the link is in clear, which the configuration allows on loopback only. */
export function serverCredentials(tls?: TlsFiles): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { ca, cert, key } = read(tls);
  return ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], true);
}

/** Client side, with the same rule. The server's certificate must have `serverName`, else the address that is called. */
export function channelCredentials(tls?: GrpcTls): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  const { ca, cert, key } = read(tls);
  return ChannelCredentials.createSsl(ca, key, cert, {
    checkServerIdentity: (address, certificate) => checkServerIdentity(tls.serverName ?? address, certificate),
  });
}

function read(tls: TlsFiles): { ca: Buffer; cert: Buffer; key: Buffer } {
  return { ca: readFileSync(tls.caFile), cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
}
