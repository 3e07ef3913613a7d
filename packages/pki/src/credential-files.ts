/** Puts a credential on disk the way servers read it: keys readable by the owner alone, every file replaced by rename. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths of a credential on disk; the shape that `TlsIdentity` of `@sidestream/sip` takes. */
export interface CredentialFiles {
  certFile: string;
  keyFile: string;
  trustFile: string;
}

async function replace(file: string, content: string, mode: number): Promise<void> {
  // A reader that reloads on change must never see half a file, and an older file's wider mode must not survive.
  const fresh = `${file}.${randomUUID()}.tmp`;
  await writeFile(fresh, content, { mode, flag: 'wx' });
  await rename(fresh, file);
}

/** `name` without anything that would lead out of a folder or hide the file. */
export function safeFileName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_');
}

/** Writes the three files into `directory`, which is made (mode 0700) when absent. `name` is reduced to a safe file name. */
export async function writeCredentialFiles(
  directory: string,
  name: string,
  pem: { certificate: string; key: string; trust: string },
): Promise<CredentialFiles> {
  const base = safeFileName(name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = {
    certFile: join(directory, `${base}.crt`),
    keyFile: join(directory, `${base}.key`),
    trustFile: join(directory, 'ca.crt'),
  };
  await replace(files.keyFile, pem.key, 0o600);
  await replace(files.certFile, pem.certificate, 0o644);
  await replace(files.trustFile, pem.trust, 0o644);
  return files;
}
