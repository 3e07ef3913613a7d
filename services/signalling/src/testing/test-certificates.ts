// Certificate authorities and certificates that live as long as a test, made by openssl.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority whose files are in a folder of their own. */
export class TestAuthority {
  readonly trustFile: string;
  readonly #folder: string;
  readonly #keyFile: string;

  constructor(name: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'sidestream-ca-'));
    this.trustFile = join(this.#folder, 'ca.pem');
    this.#keyFile = join(this.#folder, 'ca.key');
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      this.#keyFile,
      '-out',
      this.trustFile,
      '-subj',
      `/CN=${name}`,
      '-days',
      '2',
    );
  }

  /** A certificate for these names and addresses. */
  issue(commonName: string, alternativeNames: readonly string[]): CertificateFiles {
    const at = (ending: string) => join(this.#folder, `${commonName}.${ending}`);
    const names = alternativeNames.map((name) => `${isIP(name) ? 'IP' : 'DNS'}:${name}`).join(',');
    writeFileSync(at('ext'), `subjectAltName=${names}\n`);
    openssl('req', ...newKey, '-keyout', at('key'), '-out', at('csr'), '-subj', `/CN=${commonName}`);
    const authority = ['-CA', this.trustFile, '-CAkey', this.#keyFile, '-CAcreateserial'];
    openssl('x509', '-req', '-in', at('csr'), ...authority, '-out', at('pem'), '-days', '2', '-extfile', at('ext'));
    return { certFile: at('pem'), keyFile: at('key') };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function openssl(...options: string[]): void {
  execFileSync('openssl', options, { stdio: 'ignore' });
}
