// Files of this package that tests read. For tests only.
import { readFileSync } from 'node:fs';

/** A file by its path from the package's root, line ends untouched. */
export function packageFile(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}
