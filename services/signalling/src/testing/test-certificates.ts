// Certificate authorities and certificates that live as long as a test.
import type { webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const notBefore = new Date(Date.now() - 60_000);
const notAfter = new Date(Date.now() + 3_600_000);

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority whose files are in a folder of their own. */
export class TestAuthority {
  readonly trustFile: string;
  readonly #folder: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #name: string;

  private constructor(folder: string, name: string, keys: webcrypto.CryptoKeyPair, certificate: string) {
    this.#folder = folder;
    this.#name = name;
    this.#keys = keys;
    this.trustFile = join(folder, 'ca.pem');
    writeFileSync(this.trustFile, certificate);
  }

  static async create(name: string): Promise<TestAuthority> {
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      notBefore,
      notAfter,
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    return new TestAuthority(mkdtempSync(join(tmpdir(), 'sidestream-ca-')), name, keys, certificate.toString('pem'));
  }

  /** A certificate for these names and addresses. */
  async issue(commonName: string, alternativeNames: readonly string[] = []): Promise<CertificateFiles> {
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const names = alternativeNames.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }));
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${commonName}`,
      issuer: `CN=${this.#name}`,
      notBefore,
      notAfter,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [],
    });
    const files = {
      certFile: join(this.#folder, `${commonName}.pem`),
      keyFile: join(this.#folder, `${commonName}.key`),
    };
    writeFileSync(files.certFile, certificate.toString('pem'));
    const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    writeFileSync(files.keyFile, `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`);
    return files;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
