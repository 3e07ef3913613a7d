// The certificate that a tenant shows to recorders, and what may keep a recorder from accepting it.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';

/** Names and fingerprint of a certificate: what a recorder compares, and what tells one certificate from another. */
export interface CertificateIdentity {
  /** As Node prints it, one RDN a line: for comparing, not for the provider. */
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the certificate, hex with colons. */
  readonly fingerprint256: string;
}

/** A PEM file with a certificate and the chain behind it. */
export interface RecorderIdentity extends CertificateIdentity {
  readonly certificate: X509Certificate;
  readonly chain: readonly X509Certificate[];
  readonly notAfter: Date;
}

/** Something that hinders or will hinder; an error forbids registering. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** For programs, kebab-case. */
  readonly code: string;
  /** For people: what, and what to do. */
  readonly text: string;
}

const dayMs = 86_400_000;
const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyUsage = '2.5.29.37.0';

/**
 * Reads a certificate file, the own certificate first.
 *
 * @throws Error that says what is wrong with the text.
 */
export function readIdentity(pem: string): RecorderIdentity {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const [certificate, ...chain] = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error(`certificate ${index + 1} of ${blocks.length} can't be read`);
    }
  });
  if (certificate === undefined) throw new Error('there is no certificate (PEM) in it');
  const { subject, issuer, fingerprint256, validTo } = certificate;
  return { subject, issuer, fingerprint256, certificate, chain, notAfter: new Date(validTo) };
}

/** Whether a recorder that was told of `a` takes `b` for the same: it was told names, no fingerprint. */
export function sameNames(a: CertificateIdentity, b: CertificateIdentity): boolean {
  return a.subject === b.subject && a.issuer === b.issuer;
}

/** The last of these thresholds that a certificate's end has passed: 30, 7 or 1 days left, or 0 when it has expired. */
export function expiryThreshold(notAfter: Date, now: Date): 30 | 7 | 1 | 0 | undefined {
  const leftMs = notAfter.getTime() - now.getTime();
  if (leftMs <= 0) return 0;
  return ([1, 7, 30] as const).find((days) => leftMs <= days * dayMs);
}

/**
 * Checks certificate, key and chain as a strict recorder would, which nobody outside can ask.
 *
 * @param roots the authorities that a recorder is supposed to know.
 */
export function checkIdentity(
  identity: RecorderIdentity,
  keyPem: string,
  now: Date,
  roots: readonly X509Certificate[] = publicRoots(),
): Finding[] {
  return [
    ...keyFindings(identity, keyPem),
    ...timeFindings(identity, now),
    ...usageFindings(identity),
    ...trustFindings(identity, roots),
  ];
}

function* keyFindings({ certificate }: RecorderIdentity, keyPem: string): Generator<Finding> {
  try {
    if (certificate.checkPrivateKey(createPrivateKey(keyPem))) return;
    yield error('key-mismatch', 'the private key does not belong to the certificate');
  } catch {
    yield error('key-unreadable', "the private key can't be read: it must be PEM without a passphrase");
  }
}

function* timeFindings({ certificate, notAfter }: RecorderIdentity, now: Date): Generator<Finding> {
  if (new Date(certificate.validFrom) > now) {
    yield warning('certificate-not-yet-valid', `the certificate is valid from ${isoDate(certificate.validFrom)} on`);
  }
  const days = expiryThreshold(notAfter, now);
  if (days === 0) yield error('certificate-expired', `the certificate expired on ${isoDate(notAfter)}: renew it`);
  else if (days !== undefined) {
    const left = days === 1 ? 'a day' : `${days} days`;
    yield warning('certificate-expiring', `the certificate expires within ${left}, at ${notAfter.toISOString()}`);
  }
}

function* usageFindings({ certificate }: RecorderIdentity): Generator<Finding> {
  // Without the extension a certificate is good for everything. Public authorities have begun to leave clientAuth out.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  if (usages === undefined || usages.includes(clientAuth) || usages.includes(anyUsage)) return;
  yield warning(
    'no-client-auth',
    'the certificate lacks the extended key usage clientAuth: a recorder that checks it refuses the connection',
  );
}

function* trustFindings(
  { certificate, chain }: RecorderIdentity,
  roots: readonly X509Certificate[],
): Generator<Finding> {
  if (issued(certificate, certificate)) {
    yield warning(
      'self-signed',
      'the certificate is self-signed: the recorder has nothing to verify it with and likely refuses it',
    );
    return;
  }
  let top = certificate;
  // A chain may be in any order and may hold strangers; each step takes one certificate out, so that it ends.
  const left = new Set(chain);
  for (let next = findIssuer(top, left); next !== undefined; next = findIssuer(top, left)) {
    left.delete(next);
    top = next;
  }
  const known = roots.some(({ fingerprint256 }) => fingerprint256 === top.fingerprint256);
  if (known || findIssuer(top, roots) !== undefined) return;
  const name = oneLine(top.issuer);
  if (issued(top, top)) {
    yield warning(
      'private-authority',
      `'${name}' is no public authority that we know: the recorder likely refuses the certificate`,
    );
    return;
  }
  yield warning(
    'chain-incomplete',
    `the certificate of '${name}' is not in certFile, and it is no public authority that we know: append the intermediate ` +
      'certificates; if it is a private authority, the recorder likely refuses the certificate',
  );
}

function findIssuer(certificate: X509Certificate, among: Iterable<X509Certificate>): X509Certificate | undefined {
  for (const candidate of among) if (candidate !== certificate && issued(candidate, certificate)) return candidate;
  return undefined;
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

let knownRoots: readonly X509Certificate[] | undefined;

/** The public authorities of Node's list, read once when first asked for. */
function publicRoots(): readonly X509Certificate[] {
  knownRoots ??= rootCertificates.map((pem) => new X509Certificate(pem));
  return knownRoots;
}

function oneLine(name: string): string {
  return name.split('\n').join(', ');
}

function isoDate(time: string | Date): string {
  return new Date(time).toISOString().slice(0, 10);
}

function error(code: string, text: string): Finding {
  return { severity: 'error', code, text };
}

function warning(code: string, text: string): Finding {
  return { severity: 'warning', code, text };
}
