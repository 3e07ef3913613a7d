// The files of one certificate, looked at again and again: what renews them may fail for weeks without anybody noticing, since the
// old ones stay in use. What is wrong is logged, whether or not anybody reads metrics.
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from './log.js';

/** One certificate in use; the names are the metrics' labels. */
export interface CertificateFiles {
  readonly use: 'grpc' | 'nats' | 'gateway' | 'edge' | 'recording';
  /** Whose it is where there are several of a use: the tenant. */
  readonly name?: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Look {
  /** When it ends, Unix time in seconds; undefined where the certificate can't be read. */
  readonly notAfter?: number;
  /** Whether certificate and key can be read and belong together. */
  readonly usable: boolean;
}

const dayMs = 86_400_000;
/** As the alerts have it: a ticket, and somebody is woken. */
const warnDays = 14;
const errorDays = 3;

export class CertificateWatch {
  readonly #files: CertificateFiles;
  readonly #log: Logger;
  #stamp: string | undefined;
  #last: Promise<Look> = Promise.resolve({ usable: true });
  #told: { readonly notAfter: number; readonly atMs: number } | undefined;

  constructor(files: CertificateFiles, log: Logger) {
    const { use, name = '', certFile } = files;
    this.#files = files;
    this.#log = log.child({ use, name, certFile });
  }

  /**
   * Reads the files if they have changed since the last look. Never rejects. A fault and its end are logged once for each change, an end
   * within two weeks once a day.
   */
  async look(): Promise<Look> {
    const { certFile, keyFile } = this.#files;
    const stamp = (await Promise.all([certFile, keyFile].map(stampOf))).join('|');
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#last = this.#read(this.#last);
    }
    const look = await this.#last;
    this.#tellOfEnd(look);
    return look;
  }

  async #read(before: Promise<Look>): Promise<Look> {
    const { certFile, keyFile } = this.#files;
    let notAfter: number | undefined;
    try {
      const cert = await readFile(certFile);
      notAfter = Date.parse(new X509Certificate(cert).validTo) / 1_000;
      createSecureContext({ cert, key: await readFile(keyFile) });
      if (!(await before).usable) this.#log.info('the certificate can be used again');
      return { notAfter, usable: true };
    } catch (error) {
      this.#log.error({ err: error }, 'the certificate can not be used; what was good before stays in use');
      return { ...(notAfter !== undefined && { notAfter }), usable: false };
    }
  }

  #tellOfEnd({ notAfter }: Look): void {
    const now = Date.now();
    if (notAfter === undefined || (notAfter === this.#told?.notAfter && now - this.#told.atMs < dayMs)) return;
    const days = (notAfter * 1_000 - now) / dayMs;
    if (days >= warnDays) return;
    this.#told = { notAfter, atMs: now };
    const ends = new Date(notAfter * 1_000).toISOString();
    if (days >= errorDays) this.#log.warn({ ends }, 'the certificate ends within two weeks');
    else this.#log.error({ ends }, days > 0 ? 'the certificate ends within three days' : 'the certificate has ended');
  }
}

/** Changes when the file does, also when a mounted secret is swapped by a symbolic link. */
async function stampOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file);
    return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch {
    return 'absent';
  }
}
