// Certificate and key, and the authority of the links inside, read again when their files change: certificates are renewed under services
// that run for months. New connections get the new ones; those that are up stay.
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { experimental } from '@grpc/grpc-js';
import type { TlsFiles } from '../config/schema.js';

/** How long a renewed certificate may wait to be seen. */
export const lookEveryMs = 30_000;

interface Material {
  readonly caCertificate: Buffer | undefined;
  readonly certificate: Buffer;
  readonly privateKey: Buffer;
}

/** A server that asks nobody for a certificate needs no authority. */
export type IdentityFiles = Omit<TlsFiles, 'caFile'> & Partial<Pick<TlsFiles, 'caFile'>>;

/** See the module's head. Looks at the files while somebody listens. */
export class TlsMaterial implements experimental.CertificateProvider {
  readonly #files: IdentityFiles;
  readonly #everyMs: number;
  readonly #listeners = new Map<object, (material: Material) => void>();
  #material: Material;
  #timer: NodeJS.Timeout | undefined;

  /** Reads the files; throws where that fails or they don't fit, as a service that can't speak should not start. */
  constructor(files: IdentityFiles, everyMs = lookEveryMs) {
    this.#files = files;
    this.#everyMs = everyMs;
    this.#material = read(files);
  }

  addCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#add(listener, ({ caCertificate }) => listener(caCertificate === undefined ? null : { caCertificate }));
  }

  addIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.#add(listener, ({ certificate, privateKey }) => listener({ certificate, privateKey }));
  }

  removeCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#remove(listener);
  }

  removeIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.#remove(listener);
  }

  #add(key: object, tell: (material: Material) => void): void {
    this.#listeners.set(key, tell);
    // A server takes its first certificate for an update, so it must not come before add() has returned.
    process.nextTick(() => {
      if (this.#listeners.get(key) === tell) tell(this.#material);
    });
    this.#timer ??= setInterval(() => this.#look(), this.#everyMs).unref();
  }

  #remove(key: object): void {
    this.#listeners.delete(key);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    let found: Material;
    try {
      found = read(this.#files);
    } catch {
      // Half written, or gone: what was good stays, and is looked for again.
      return;
    }
    if (isSame(found, this.#material)) return;
    this.#material = found;
    for (const tell of [...this.#listeners.values()]) tell(found);
  }
}

function read({ caFile, certFile, keyFile }: IdentityFiles): Material {
  const ca = caFile === undefined ? undefined : readFileSync(caFile);
  const cert = readFileSync(certFile);
  const key = readFileSync(keyFile);
  // Throws for a key that is not the certificate's: between two writes of a renewal the old pair stays.
  createSecureContext({ ...(ca && { ca }), cert, key });
  return { caCertificate: ca, certificate: cert, privateKey: key };
}

function isSame(one: Material, other: Material): boolean {
  const parts = ({ caCertificate, certificate, privateKey }: Material) =>
    [caCertificate, certificate, privateKey].map((part) => part?.toString('latin1'));
  return isDeepStrictEqual(parts(one), parts(other));
}
