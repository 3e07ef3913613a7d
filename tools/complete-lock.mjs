// npm run lock: renews package-lock.json, complete for every platform. npm leaves out optional platform packages that it
// can't see when it writes the lock (npm/cli issue 4828), and `npm ci` then refuses the lock everywhere.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

run('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund']);
const file = join(root, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
let added = 0;
for (const [path, { optionalDependencies = {}, dev }] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const isThere = `node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages;
    if (isThere || !/^\d/.test(version)) continue;
    lock.packages[`node_modules/${name}`] = { version, ...platformOf(name), ...(dev && { dev }), optional: true };
    added += 1;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([one], [other]) => one.localeCompare(other, 'en')),
);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.error(`package-lock.json: ${added} platform packages completed`);

/** What a platform package's name says: `nx-linux-x64-musl` → linux, x64, musl. */
function platformOf(name) {
  const os = /android|darwin|linux|win32|freebsd/.exec(name)?.[0];
  const cpu = /arm64|aarch64/.test(name) ? 'arm64' : /x64/.test(name) ? 'x64' : /arm/.test(name) ? 'arm' : undefined;
  return { ...(os && { os: [os] }), ...(cpu && { cpu: [cpu] }), ...(/musl/.test(name) && { libc: ['musl'] }) };
}
