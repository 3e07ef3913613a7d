// What a bundle is made of: scanners of images can't see packages that have become one file.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './run.mjs';

/** CycloneDX components of the packages from which the given files come, sorted, each once. */
export function componentsOf(files) {
  const manifests = new Set(files.map((file) => manifestOf(join(root, file))).filter((file) => file !== undefined));
  return [...manifests]
    .map((file) => JSON.parse(readFileSync(file, 'utf8')))
    .map(({ name, version, license }) => ({
      type: 'library',
      'bom-ref': `pkg:npm/${name}@${version}`,
      name,
      version,
      purl: `pkg:npm/${name.replace(/^@/, '%40')}@${version}`,
      ...(typeof license === 'string' && { licenses: [{ expression: license }] }),
    }))
    .sort((one, other) => one['bom-ref'].localeCompare(other['bom-ref'], 'en'))
    .filter((component, index, all) => component['bom-ref'] !== all[index - 1]?.['bom-ref']);
}

/** The package.json that names a package, above a file; some packages have nameless ones in folders. */
function manifestOf(file) {
  for (let folder = dirname(file); folder.startsWith(root.replace(/\/$/, '')); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version !== undefined) return manifest;
  }
  return undefined;
}
