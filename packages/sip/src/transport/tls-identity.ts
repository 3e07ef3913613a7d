// A certificate, its key and the authorities to trust, from PEM files that may change under a running process.
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls';
import { SipError } from '../sip-error.js';

/** Where an identity's PEM files are. */
export interface TlsIdentityFiles {
  /** Certificate chain, own certificate first. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities to trust instead of Node's roots. */
  readonly trustFile?: string | undefined;
}

/** What TLS needs of the files. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
}

interface Loaded {
  readonly material: TlsMaterial;
  readonly contexts: Map<SecureVersion, SecureContext>;
  readonly digest: string;
  readonly certificate: X509Certificate;
}

/** Decides whether a changed certificate may take the place of the one in use; asked at each use until it may. */
export type MayReplace = (current: X509Certificate, next: X509Certificate) => boolean;

/**
 * A client or server identity. The files are looked at on each use: new connections take what is there now, open ones keep
 * what they have. While new files are broken (half written, key of another certificate) the last good ones stay in use and
 * `onProblem` hears of it once per change; they also stay while `mayReplace` says so.
 */
export class TlsIdentity {
  readonly #files: readonly [string, string, ...string[]];
  readonly #onProblem: ((error: Error) => void) | undefined;
  readonly #mayReplace: MayReplace;
  #seen: string;
  #loaded: Loaded;
  /** What the files hold now and may not be used yet. */
  #next: Loaded | undefined;

  /** @throws SipError `not-possible` when the files cannot be used to begin with; the message names no secret */
  constructor(files: TlsIdentityFiles, onProblem?: (error: Error) => void, mayReplace: MayReplace = () => true) {
    const { certFile, keyFile, trustFile } = files;
    this.#files = trustFile === undefined ? [certFile, keyFile] : [certFile, keyFile, trustFile];
    this.#onProblem = onProblem;
    this.#mayReplace = mayReplace;
    this.#seen = this.#stamp();
    this.#loaded = this.#load();
  }

  /** Where the identity comes from: the same for every content of the same files. */
  get source(): string {
    return this.#files.join('|');
  }

  /** Part of the connection pool's key: it changes when the files do. */
  get key(): string {
    return this.#current().digest;
  }

  /** A context for one connection; made once per set of files and least version. */
  secureContext(minVersion: SecureVersion = 'TLSv1.2'): SecureContext {
    const { contexts, material } = this.#current();
    const context = contexts.get(minVersion) ?? createSecureContext({ ...material, minVersion });
    contexts.set(minVersion, context);
    return context;
  }

  /** Whether the identity names its own authorities rather than Node's roots. */
  get hasTrust(): boolean {
    return this.#files.length === 3;
  }

  /** The PEM contents, for a server whose context Node builds itself. */
  material(): TlsMaterial {
    return this.#current().material;
  }

  /** Subject of the own certificate, for example `CN=recorder, O=Contoso`. */
  subject(): string {
    return this.#current().certificate.subject.split('\n').join(', ');
  }

  #current(): Loaded {
    const stamp = this.#stamp();
    if (stamp !== this.#seen) {
      this.#seen = stamp;
      this.#next = undefined;
      try {
        this.#next = this.#load();
      } catch (error) {
        this.#onProblem?.(error instanceof Error ? error : new Error(String(error)));
      }
    }
    if (this.#next !== undefined && this.#mayReplace(this.#loaded.certificate, this.#next.certificate)) {
      this.#loaded = this.#next;
      this.#next = undefined;
    }
    return this.#loaded;
  }

  // Inode and times tell a change even when a mounted secret is swapped by a symbolic link within one clock tick.
  #stamp(): string {
    return this.#files
      .map((file) => {
        const stat = statSync(file, { throwIfNoEntry: false });
        return stat === undefined ? 'absent' : `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
      })
      .join('|');
  }

  #load(): Loaded {
    const [certFile, keyFile, trustFile] = this.#files;
    try {
      const cert = readFileSync(certFile);
      const key = readFileSync(keyFile);
      const ca = trustFile === undefined ? undefined : readFileSync(trustFile);
      const material: TlsMaterial = ca === undefined ? { cert, key } : { cert, key, ca };
      const hash = createHash('sha256').update(cert).update('|').update(key).update('|');
      return {
        material,
        // Made at once, since only this tells whether key and certificate belong together.
        contexts: new Map([['TLSv1.2', createSecureContext({ ...material, minVersion: 'TLSv1.2' })]]),
        digest: hash
          .update(ca ?? '')
          .digest('hex')
          .slice(0, 32),
        certificate: new X509Certificate(cert),
      };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SipError('not-possible', `TLS identity ${certFile}: ${reason}`, { cause });
    }
  }
}
