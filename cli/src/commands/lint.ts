// `sidestream lint`: checks one SIPREC message or metadata document by the rules of @sidestream/siprec, and prints what is wrong.
import { createReadStream } from 'node:fs';
import {
  type LintFinding,
  type LintResult,
  lint,
  type RecorderProfileName,
  recorderProfiles,
} from '@sidestream/siprec';

export interface LintCommandOptions {
  readonly profile: RecorderProfileName;
  readonly account?: string;
  /** File of the INVITE that an answer answers. */
  readonly offer?: string;
  readonly json: boolean;
}

/** More than any message has; the lint refuses it. */
const maxBytes = 2 * 1024 * 1024;

/** @returns the process's exit code: 0 without errors, 1 with, 2 when a file cannot be read. */
export async function lintCommand(
  file: string,
  { profile, account, offer: offerFile, json }: LintCommandOptions,
): Promise<number> {
  const bytes = await read(file);
  const offering = offerFile === undefined ? undefined : await read(offerFile);
  const offer = offering && lint(offering).offer;
  if (offering !== undefined && offer === undefined)
    process.stderr.write(`sidestream: ${offerFile} has no SDP offer\n`);
  if (bytes === undefined || (offerFile !== undefined && offer === undefined)) return 2;
  const result = lint(bytes, { profile: recorderProfiles[profile], accountId: account, offer });
  const errors = count(result, 'error');
  const warnings = count(result, 'warning');
  const { kind, findings } = result;
  const name = file === '-' ? 'stdin' : file;
  if (json) {
    const document = { file: name, kind, profile, ok: errors === 0, errors, warnings, findings };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    for (const finding of findings) process.stdout.write(`${describe(name, finding)}\n`);
    const read = `${kind}, ${bytes.length} bytes, profile ${profile}`;
    const found = [plural(errors, 'error'), plural(warnings, 'warning')].filter((text) => text !== '').join(', ');
    process.stdout.write(errors > 0 ? `${found}: ${read}\n` : `clean${found && ` but for ${found}`}: ${read}\n`);
  }
  return errors === 0 ? 0 : 1;
}

async function read(file: string): Promise<Buffer | undefined> {
  try {
    return await readAll(file);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`sidestream: ${file} can't be read: ${text}\n`);
    return undefined;
  }
}

async function readAll(file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (length > maxBytes) break;
  }
  return Buffer.concat(chunks);
}

function describe(file: string, { severity, name, clause, place, text, cure }: LintFinding): string {
  const at = place.line === undefined ? file : `${file}:${place.line}:${place.column}`;
  return `${at}: ${severity} ${name} (${clause}) ${place.path}: ${text}\n    ${cure}`;
}

function count({ findings }: LintResult, wanted: LintFinding['severity']): number {
  return findings.filter(({ severity }) => severity === wanted).length;
}

function plural(number: number, what: string): string {
  return number === 0 ? '' : `${number} ${what}${number === 1 ? '' : 's'}`;
}
