// Mutual TLS for the links inside: both sides show a certificate of the same authority, and the called one its name.
import { checkServerIdentity } from 'node:tls';
import { ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js';
import type { GrpcTls, TlsFiles } from '../config/schema.js';
import { type CalledService, nameOfCalled } from './callers.js';
import { TlsMaterial } from './tls-material.js';

/**
 * Of clients that are told lists. A list of calls is one message, of 500 to 700 bytes for each: this is room for as many as one instance may
 * have (`signalling.maxCalls`, 100,000 at most), where the library takes 4 MiB.
 */
export const listClientOptions = { 'grpc.max_receive_message_length': 128 * 1024 * 1024 };

/** Server side. Without files the link is in clear, which the configuration allows on loopback only. */
export function serverCredentials(tls?: TlsFiles, everyMs?: number): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const material = new TlsMaterial(tls, everyMs);
  return experimental.createCertificateProviderServerCredentials(material, material, true);
}

/** Client side, with the same rule. The certificate of the service that is called must have its name, else the address. */
export function channelCredentials(service: CalledService, tls?: GrpcTls): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  const material = new TlsMaterial(tls);
  const name = nameOfCalled(service, tls);
  return experimental.createCertificateProviderChannelCredentials(material, material, {
    checkServerIdentity: (address, certificate) => checkServerIdentity(name ?? address, certificate),
  });
}
