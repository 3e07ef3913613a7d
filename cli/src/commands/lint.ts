// `sidestream lint`: a SIPREC message or metadata document against the RFCs and a recorder's profile.
import { open, readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { type LintFinding, lint, recorderProfiles } from '@sidestream/siprec';

export interface LintCommandOptions {
  /** Name of a recorder profile. */
  readonly profile: string;
  /** The account id to expect. */
  readonly account?: string;
  readonly json: boolean;
}

/** One byte more than the lint reads, so that it can say that a file is too large. */
const maxBytes = 1024 * 1024 + 1;

/** @returns 0 without an error, 1 with one, 2 when the file can't be read. */
export async function lintCommand(file: string, options: LintCommandOptions): Promise<number> {
  let bytes: Buffer;
  try {
    bytes = file === '-' ? await buffer(process.stdin) : await readStart(file);
  } catch (error) {
    process.stderr.write(`sidestream: ${file}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const profile = recorderProfiles[options.profile as keyof typeof recorderProfiles];
  const { kind, findings } = lint(bytes, { profile, accountId: options.account });
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const counts = { errors, warnings: findings.length - errors };
  const name = file === '-' ? 'stdin' : file;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ file: name, kind, profile: profile.name, ...counts, findings })}\n`);
  } else {
    for (const finding of findings) process.stdout.write(`${describe(name, finding)}\n`);
    const outcome =
      findings.length === 0
        ? `clean: ${kind}, profile ${profile.name}`
        : `${kind}, profile ${profile.name}: ${counted(errors, 'error')}, ${counted(counts.warnings, 'warning')}`;
    process.stdout.write(`${outcome}\n`);
  }
  return errors > 0 ? 1 : 0;
}

/** A device or a recording of gigabytes must not fill the memory. */
async function readStart(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size < maxBytes) return await readFile(handle);
    const { buffer: start, bytesRead } = await handle.read({ buffer: Buffer.alloc(maxBytes), position: 0 });
    return start.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function describe(file: string, { severity, name, clause, place, text, cure }: LintFinding): string {
  const { line, column, path } = place;
  const at = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return `${at}: ${severity}: ${text} [${name}, ${clause}]\n    at ${path}; cure: ${cure}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
