// How every connection to NATS is made: with which identity, and as whom.
import { readFileSync } from 'node:fs';
import { credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { SidestreamConfig } from '../config/schema.js';

/** Identity, credentials and name; what becomes of a lost connection is the caller's. Reads the credentials file. */
export function natsIdentity(nats: SidestreamConfig['nats'], name: string): NodeConnectionOptions {
  return {
    servers: nats.servers,
    name,
    // Otherwise every publish makes an error beforehand, for the stack of a failure that may come.
    noAsyncTraces: true,
    ...(nats.tls && { tls: { certFile: nats.tls.certFile, keyFile: nats.tls.keyFile, caFile: nats.tls.caFile } }),
    ...(nats.credentialsFile && { authenticator: credsAuthenticator(readFileSync(nats.credentialsFile)) }),
  };
}
