/** The folder of one recording session: messages without keys, metadata, a WAV per stream. Only the owner may read it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { redactKeys } from '../rtp/sdes.js';
import { TimelineWav } from '../rtp/timeline-wav.js';

/** A client that re-INVITEs for ever must not fill the disk. */
const MAX_FILES = 200;

/** A part of a path made of what someone else sent: nothing in it leaves the folder. */
function safeName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 100);
  return safe === '' ? '_' : safe;
}

/** See the module's head. Writes run one after another; their errors surface in {@link settle}. */
export class SessionFolder {
  readonly path: string;
  readonly #names = new Set<string>();
  #writes: Promise<void> = Promise.resolve();
  #error: unknown;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes `<parent>/<Call-ID>`, or with `-2`, `-3` … for a Call-ID that was recorded before. */
  static async create(parent: string, callId: string): Promise<SessionFolder> {
    await mkdir(parent, { recursive: true });
    for (let number = 1; ; number += 1) {
      const path = join(parent, number === 1 ? safeName(callId) : `${safeName(callId)}-${number}`);
      try {
        await mkdir(path, { mode: 0o700 });
        return new SessionFolder(path);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST') || number === MAX_FILES)
          throw error;
      }
    }
  }

  /** Opens the WAV file of a stream, named by its label. */
  async openWav(label: string, maxDurationMs: number): Promise<TimelineWav> {
    return await TimelineWav.open(join(this.path, this.#fresh(safeName(label), '.wav')), { maxDurationMs });
  }

  /** Writes a SIP message's exact bytes, every SDES key starred out: `invite.sip`, then `invite-2.sip` … */
  addMessage(name: string, bytes: Buffer): void {
    this.#write(this.#fresh(name, '.sip'), redactKeys(bytes));
  }

  /** Writes a metadata document as it came: `metadata.xml`, then `metadata-2.xml` … */
  addMetadata(xml: string): void {
    this.#write(this.#fresh('metadata', '.xml'), Buffer.from(xml));
  }

  /** Resolves when all is written; rejects with the first error. */
  async settle(): Promise<void> {
    await this.#writes;
    if (this.#error !== undefined) throw this.#error;
  }

  #fresh(name: string, extension: string): string {
    for (let number = 1; ; number += 1) {
      const file = number === 1 ? `${name}${extension}` : `${name}-${number}${extension}`;
      if (this.#names.has(file)) continue;
      this.#names.add(file);
      return file;
    }
  }

  #write(file: string, bytes: Buffer): void {
    if (this.#names.size > MAX_FILES) return;
    this.#writes = this.#writes
      .then(() => writeFile(join(this.path, file), bytes, { mode: 0o600 }))
      .catch((error: unknown) => {
        this.#error ??= error;
      });
  }
}
