/**
 * A throw-away certificate authority: ECDSA P-256 (RSA on request), in memory, files only on request. It owns keys that protect nothing but
 * simulations, and must not know who uses the certificates (recorder, tenant, gRPC).
 */
import './reflect-metadata.js';
import { KeyObject, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { type CredentialFiles, writeCredentialFiles } from './credential-files.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Entra takes client assertions signed by RSA keys alone. */
const RSA_ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
const HOUR_MS = 3_600_000;
const DEFAULT_LIFETIME_MS = 60 * 24 * HOUR_MS;

/** What a certificate may be used for, as TLS clients and servers check it (extended key usage). */
export type CertificateUsage = 'client' | 'server' | 'both';

/** What to put into a certificate. Without `notAfter` it lives for 60 days, so that nothing warns of its end; a past `notAfter` gives an expired one. */
export interface CertificateRequest {
  commonName: string;
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
  usages?: CertificateUsage;
  /** Kind of the certificate's own key; `ec` (P-256). The authority signs by ECDSA either way. */
  key?: 'ec' | 'rsa';
  notAfter?: Date;
}

/** A certificate with its private key and the authority's certificate, all PEM. */
export interface Credential {
  readonly subject: string;
  readonly issuer: string;
  readonly certificate: string;
  readonly key: string;
  readonly trust: string;
  /** Writes `<name>.crt`, `<name>.key` (mode 0600) and `ca.crt` into `directory`, each by rename; `name` defaults to the common name. */
  writeFiles(directory: string, name?: string): Promise<CredentialFiles>;
}

/** A certificate authority; make one with {@link createAuthority}. */
export interface Authority {
  readonly name: string;
  /** The authority's own certificate, PEM: what the other side has to trust. */
  readonly certificate: string;
  issue(request: CertificateRequest): Promise<Credential>;
}

async function newKeys(kind: 'ec' | 'rsa' = 'ec'): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(kind === 'rsa' ? RSA_ALGORITHM : ALGORITHM, true, ['sign', 'verify']);
}

function validity(notAfter: Date): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Math.min(Date.now(), notAfter.getTime()) - HOUR_MS), notAfter };
}

function usagesOf(usage: CertificateUsage): ExtendedKeyUsage[] {
  switch (usage) {
    case 'client':
      return [ExtendedKeyUsage.clientAuth];
    case 'server':
      return [ExtendedKeyUsage.serverAuth];
    case 'both':
      return [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth];
    default:
      return usage satisfies never;
  }
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

/** Makes an authority whose certificate's common name is `name`; its private key never leaves this process. */
export async function createAuthority(name: string): Promise<Authority> {
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: ALGORITHM,
    ...validity(new Date(Date.now() + DEFAULT_LIFETIME_MS)),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const trust = pem(root);

  async function issue(request: CertificateRequest): Promise<Credential> {
    const own = await newKeys(request.key);
    const names: JsonGeneralNames = [
      ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
      ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ];
    const extensions: Extension[] = [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(usagesOf(request.usages ?? 'both')),
      await SubjectKeyIdentifierExtension.create(own.publicKey),
      await AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ];
    if (names.length > 0) extensions.push(new SubjectAlternativeNameExtension(names));
    const made = await X509CertificateGenerator.create({
      subject: [{ CN: [request.commonName] }],
      issuer: root.subjectName,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(request.notAfter ?? new Date(Date.now() + DEFAULT_LIFETIME_MS)),
      extensions,
    });
    const key = KeyObject.from(own.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
    const certificate = pem(made);
    return {
      subject: made.subject,
      issuer: made.issuer,
      certificate,
      key,
      trust,
      writeFiles: (directory, fileName = request.commonName) =>
        writeCredentialFiles(directory, fileName, { certificate, key, trust }),
    };
  }

  return { name, certificate: trust, issue };
}
