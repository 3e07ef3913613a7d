/** Credentials as files for as long as a test lasts, in a folder of their own. It must not know who reads them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Authority, Credential } from './authority.js';
import { type CredentialFiles, safeFileName, writeCredentialFiles } from './credential-files.js';

/** A folder under the system's temporary one, for its owner alone; whoever creates it removes it. */
export class CredentialFolder {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<CredentialFolder> {
    return new CredentialFolder(await mkdtemp(join(tmpdir(), 'sidestream-pki-')));
  }

  /**
   * Writes a credential into a sub-folder `name`, so that credentials of several authorities can lie side by side. The
   * same name again replaces the files in place, as a renewal does. `trust` is the authority that the credential's owner
   * trusts when it is not the one that issued it.
   */
  async write(credential: Credential, name: string, trust?: Authority): Promise<CredentialFiles> {
    const base = safeFileName(name);
    const { certificate, key } = credential;
    const pem = { certificate, key, trust: trust?.certificate ?? credential.trust };
    return await writeCredentialFiles(join(this.directory, base), base, pem);
  }

  /** Takes the folder away with all that is in it; idempotent. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
