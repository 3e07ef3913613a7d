// Is a certificate fit for what it is used for? Pure: contents come in.
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  checkIdentity,
  type Finding as IdentityFinding,
  type RecorderIdentity,
  readIdentity,
} from '@sidestream/tenant-registration';
import { type Finding, fail, ok, warn } from './check.js';

/** What a certificate has to be able to do. */
export interface CertificateNeeds {
  /** Key of its file in the configuration. */
  readonly where: string;
  readonly usages: readonly ('client' | 'server')[];
  /** Names and addresses by which it is called. */
  readonly names: readonly string[];
  /** The authorities that those who see it trust; undefined: nobody knows. */
  readonly trust?: { readonly where: string; readonly certificates: readonly X509Certificate[] } | undefined;
  /** Entra takes assertions of RSA keys alone. */
  readonly rsa?: boolean;
}

const purposes = {
  client: { oid: '1.3.6.1.5.5.7.3.2', name: 'clientAuth' },
  server: { oid: '1.3.6.1.5.5.7.3.1', name: 'serverAuth' },
} as const;
const anyPurpose = '2.5.29.37.0';

/** Judges a certificate of ours against what it is for, and says until when it is good if nothing is wrong. */
export function judgeCertificate(pem: string, keyPem: string, needs: CertificateNeeds, now: Date): Finding[] {
  const { where, trust, rsa } = needs;
  const identity = readable(pem, where);
  if (!('certificate' in identity)) return [identity];
  const { certificate } = identity;
  const findings = [
    ...checkIdentity(identity, keyPem, now, trust?.certificates ?? []).flatMap((one) =>
      ofIdentity(one, needs, identity),
    ),
    ...purposeFindings(certificate, needs),
    ...nameFindings(certificate, needs),
    ...(rsa && certificate.publicKey.asymmetricKeyType !== 'rsa'
      ? [
          fail(
            where,
            `its key is ${certificate.publicKey.asymmetricKeyType}: Entra takes RSA`,
            'make it with an RSA key',
          ),
        ]
      : []),
  ];
  return findings.length > 0 ? findings : [good(identity, where)];
}

/**
 * Judges what a tenant shows to recorders as a strict recorder would (`checkIdentity`).
 *
 * @param roots the authorities that its recorders know; undefined: the public ones
 */
export function judgeRecordingIdentity(
  pem: string,
  keyPem: string,
  { where, roots, now }: { where: string; roots: readonly X509Certificate[] | undefined; now: Date },
): Finding[] {
  const identity = readable(pem, where);
  if (!('certificate' in identity)) return [identity];
  const findings = checkIdentity(identity, keyPem, now, roots).map(({ severity, code, text }) =>
    (severity === 'error' ? fail : warn)(where, text, cures[code] ?? 'see sidestream register --dry-run'),
  );
  return findings.length > 0 ? findings : [good(identity, where)];
}

/** Judges a file of authorities to trust. */
export function judgeTrust(pem: string, where: string, now: Date): Finding[] {
  const identity = readable(pem, where);
  if (!('certificate' in identity)) return [identity];
  const all = [identity.certificate, ...identity.chain];
  const expired = all.filter(({ validTo }) => new Date(validTo) <= now);
  const names = expired.map(({ subject }) => `'${oneLine(subject)}'`).join(', ');
  if (expired.length === all.length) return [fail(where, `${names} expired: nobody is trusted`, 'renew the file')];
  if (expired.length > 0) return [warn(where, `${names} expired`, 'take it out of the file')];
  return [ok(where, `${all.length} ${all.length === 1 ? 'authority' : 'authorities'}`)];
}

function readable(pem: string, where: string): RecorderIdentity | Finding {
  try {
    return readIdentity(pem);
  } catch (error) {
    return fail(where, error instanceof Error ? error.message : String(error), 'it must be PEM');
  }
}

const cures: Readonly<Record<string, string>> = {
  'key-mismatch': 'put certificate and key of one pair into the two files',
  'key-unreadable': 'store the key as PEM without a passphrase',
  'certificate-not-yet-valid': 'set the clock, or wait',
  'certificate-expired': 'renew it; running services take the new file by themselves',
  'certificate-expiring': 'renew it in time; running services take the new file by themselves',
  'no-client-auth': 'have it issued with the extended key usage clientAuth',
  'self-signed': 'have it signed by an authority that the recorder trusts: a public one for Dynamics 365',
  'private-authority': 'have it signed by an authority that the recorder trusts: a public one for Dynamics 365',
  'chain-incomplete': 'append the intermediate certificates to the file',
};

/** What checkIdentity says of key and time goes for every certificate; what it says of authorities is said in other words here. */
function ofIdentity(
  { severity, code, text }: IdentityFinding,
  { where, trust }: CertificateNeeds,
  { certificate }: RecorderIdentity,
): Finding[] {
  if (/^(key|certificate)-/.test(code))
    return [(severity === 'error' ? fail : warn)(where, text, cures[code] ?? 'renew it')];
  if (trust === undefined || code === 'no-client-auth') return [];
  if (trust.certificates.some(({ fingerprint256 }) => fingerprint256 === certificate.fingerprint256)) return [];
  return [
    fail(
      where,
      `no authority of ${trust.where} has signed it: '${oneLine(certificate.issuer)}' has`,
      `put that authority into ${trust.where}, or the certificates between the two into ${where}`,
    ),
  ];
}

function* purposeFindings(certificate: X509Certificate, { where, usages }: CertificateNeeds): Generator<Finding> {
  // Without the extension a certificate is good for everything.
  const allowed: readonly string[] | undefined = certificate.keyUsage;
  if (allowed === undefined || allowed.includes(anyPurpose)) return;
  for (const usage of usages) {
    const { oid, name } = purposes[usage];
    if (allowed.includes(oid)) continue;
    yield fail(
      where,
      `it lacks the extended key usage ${name}`,
      `have it issued with ${name}: it is used as a ${usage}`,
    );
  }
}

function* nameFindings(certificate: X509Certificate, { where, names }: CertificateNeeds): Generator<Finding> {
  const missing = names.filter((name) =>
    isIP(name) === 0 ? certificate.checkHost(name) === undefined : certificate.checkIP(name) === undefined,
  );
  if (missing.length === 0) return;
  const has = certificate.subjectAltName ?? 'none';
  yield fail(
    where,
    `it is not for ${missing.join(', ')} (its names: ${has})`,
    'have it issued with the names by which it is called',
  );
}

function good({ certificate, notAfter }: RecorderIdentity, where: string): Finding {
  return ok(where, `'${oneLine(certificate.subject)}', good until ${notAfter.toISOString().slice(0, 10)}`);
}

function oneLine(name: string): string {
  return name.split('\n').join(', ');
}
