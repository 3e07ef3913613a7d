// Certificates for the tests of this folder, written as DER by hand: nothing else here needs a certificate library.
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsIdentityFiles } from './tls-identity.js';

/** A certificate with its key, both as PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority that lives as long as the test. */
export interface TestAuthority {
  readonly cert: string;
  /** Issues a certificate for a common name and alternative names (DNS names or IPv4 addresses). */
  issue(commonName: string, alternativeNames?: readonly string[]): TestCertificate;
}

const ecdsaWithSha256 = der(0x30, oid('2a8648ce3d040302'));

/** Makes an authority with a key of its own. */
export function testAuthority(commonName: string): TestAuthority {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const basicConstraints = extension('551d13', der(0x30, der(0x01, Buffer.from([0xff]))), true);
  const cert = certificate(commonName, privateKey, commonName, privateKey, basicConstraints);
  return {
    cert,
    issue: (name, alternativeNames = []) => {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
      const names = alternativeNames.map((n) =>
        isIP(n) === 4 ? der(0x87, Buffer.from(n.split('.').map(Number))) : der(0x82, Buffer.from(n)),
      );
      const extensions = names.length === 0 ? Buffer.alloc(0) : extension('551d11', der(0x30, ...names), false);
      return {
        cert: certificate(commonName, privateKey, name, own, extensions),
        key: own.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

/** PEM files in a folder of their own; `remove` takes them away, `replace` writes another certificate in their place. */
export class TestFiles {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sidestream-sip-'));
  readonly files: TlsIdentityFiles;

  constructor(certificate: TestCertificate, trust?: string) {
    const at = (name: string): string => join(this.#folder, name);
    this.files = { certFile: at('cert.pem'), keyFile: at('key.pem'), ...(trust && { trustFile: at('trust.pem') }) };
    if (trust !== undefined) writeFileSync(at('trust.pem'), trust);
    this.replace(certificate);
  }

  replace(certificate: TestCertificate): void {
    writeFileSync(this.files.certFile, certificate.cert);
    writeFileSync(this.files.keyFile, certificate.key);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function certificate(
  issuer: string,
  issuerKey: KeyObject,
  subject: string,
  key: KeyObject,
  extensions: Buffer,
): string {
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    name(issuer),
    der(0x30, time(-3_600_000), time(86_400_000)),
    name(subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, der(0x30, extensions))]),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, issuerKey));
  const text = der(0x30, body, ecdsaWithSha256, signature)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${text}-----END CERTIFICATE-----\n`;
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return der(0x30, oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function name(commonName: string): Buffer {
  return der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from(commonName)))));
}

function time(offsetMs: number): Buffer {
  const digits = new Date(Date.now() + offsetMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(digits.slice(2)));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
