// Lets in callers whose certificate names a service that has something to say here. The authority signs for all services, so without
// this whoever breaks into one of them commands all others.
import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { Counter, type Registry } from 'prom-client';
import { SidestreamError, writeErrorCode } from '../errors.js';
import type { Logger } from '../log.js';
import { RateLimit } from '../rate-limit.js';

export interface CallerCheckOptions {
  /** Exact DNS names; a certificate must have one of them. Undefined: nobody is refused. */
  readonly names: readonly string[] | undefined;
  readonly log: Logger;
  readonly metrics: Registry;
}

/** Certificates of callers that are remembered: one for each pod and renewal. */
const maxAdmitted = 1_000;
/** Characters of a certificate's names that are told. */
const maxShown = 300;

/** Refuses with PERMISSION_DENIED; counts each refusal, and logs one a minute for each certificate. */
export function callerCheck({ names, log, metrics }: CallerCheckOptions): ServerInterceptor[] {
  const refusals = new Counter({
    name: 'sidestream_grpc_refused_total',
    help: 'gRPC requests refused because the certificate of the caller names no service that may call this one.',
    registers: [metrics],
  });
  if (names === undefined) return [];
  const admitted = new Set<string>();
  const lines = new RateLimit({ perSecond: 1 / 60, burst: 1, clock: () => performance.now(), maxKeys: 100 });

  const isAdmitted = (peer: PeerCertificate | undefined): boolean => {
    if (peer === undefined) return false;
    // Known by its digest: to read a certificate costs as much as all else about a request.
    if (admitted.has(peer.fingerprint256)) return true;
    const certificate = new X509Certificate(peer.raw);
    if (!names.some((name) => isOf(certificate, name))) return false;
    if (admitted.size >= maxAdmitted) admitted.clear();
    admitted.add(peer.fingerprint256);
    return true;
  };
  const refuse = (path: string, call: ServerInterceptingCallInterface): void => {
    refusals.inc();
    const { subjectaltname = 'none' } = call.getAuthContext().sslPeerCertificate ?? {};
    const shown = subjectaltname.slice(0, maxShown);
    const what = `the caller's certificate must have the name ${names.join(' or ')}; its names: ${shown}`;
    const error = new SidestreamError('not-admitted', what);
    if (lines.take(shown)) log.warn({ path, peer: call.getPeer() }, `a request is refused: ${what}`);
    const metadata = new Metadata();
    writeErrorCode(metadata, error);
    call.sendStatus({ code: error.meaning.grpc, details: what, metadata });
  };
  return [
    ({ path }, call) =>
      new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata: (metadata, admit) => {
              if (isAdmitted(call.getAuthContext().sslPeerCertificate)) admit(metadata);
              else refuse(path, call);
            },
          }),
      }),
  ];
}

/** Wildcards name nobody, and the subject's common name is no name. */
function isOf(certificate: X509Certificate, name: string): boolean {
  return certificate.checkHost(name, { subject: 'never', wildcards: false }) !== undefined;
}
