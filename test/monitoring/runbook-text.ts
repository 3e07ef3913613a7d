// What a runbook tells somebody to type, and the words that it takes from the system.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runbookFolder } from './alert-files.js';

export interface Said {
  /** File name of the page. */
  readonly page: string;
  readonly text: string;
}

/** Every page, README included. */
export function runbooks(): Said[] {
  return readdirSync(runbookFolder)
    .sort()
    .map((page) => ({ page, text: readFileSync(join(runbookFolder, page), 'utf8') }));
}

/** Lines of the `sh` blocks, their comments included. */
export function shellLines(): Said[] {
  return runbooks().flatMap(({ page, text }) =>
    [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
      block
        .trim()
        .split('\n')
        .map((line) => ({ page, text: line })),
    ),
  );
}

/** The commands of a line: what stands between `;` and `|`, without the comment. */
export function commandsOf(line: string): string[] {
  return line
    .replace(/\s+#.*$/, '')
    .split(/[;|]/)
    .map((command) => command.trim());
}

/** What stands between single backticks, outside of blocks. */
export function codeSpans(): Said[] {
  return runbooks().flatMap(({ page, text }) =>
    [...text.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => ({ page, text: span })),
  );
}

/** What somebody would put for the words in capitals. */
export function filledIn(command: string): string {
  return command.replace(/\b[A-Z][A-Z_]+\b/g, (word) => {
    const value = placeholders[word];
    if (value === undefined) throw new Error(`nobody knows what to put for ${word} in ${command}`);
    return value;
  });
}

export const placeholders: Readonly<Record<string, string>> = {
  NAMESPACE: 'sbc',
  POD: 'signalling-0',
  SERVICE: 'policy-sync',
  INSTANCE: '127.0.0.1:9091',
  HOST: '127.0.0.1',
  FILE: 'tls.crt',
  TENANT: 'contoso',
  TRUNK: 'carrier',
  RECORDER: 'sips:127.0.0.1:5061',
  NUMBER: '+15550100',
  ID: 's1',
  CALL_ID: '0f8b1c1e-7d1c-4b1e-9a53-6d1f0c2f4f10',
};
