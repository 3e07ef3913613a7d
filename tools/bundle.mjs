// Makes what goes into the images: each service, and the command line, as one folder that runs on Node alone. Needs `npm run build`.
// node tools/bundle.mjs [--out DIRECTORY] [NAME…]
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { componentsOf } from './bundle-sbom.mjs';
import { root } from './run.mjs';

const services = ['signalling', 'media-relay', 'policy-sync', 'registration', 'gateway', 'sip-edge'];

/** What runs beside main.js in a thread of its own, and so is a file of its own. */
const threads = {
  signalling: ['adapters/policy-worker.js'],
  'policy-sync': ['adapters/fetch-worker.js'],
};

/** CommonJS packages in an ES module want these three. */
const banner = `import { createRequire as $require } from 'node:module';
import { fileURLToPath as $path } from 'node:url';
const require = $require(import.meta.url), __filename = $path(import.meta.url), __dirname = $path(new URL('.', import.meta.url));`;

const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'out', 'images') } },
  allowPositionals: true,
});
const there = services.filter((name) => existsSync(join(root, 'services', name, 'package.json')));
const known = [...there, 'cli'];
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`there is no ${unknown.join(', ')} to bundle, but ${known.join(', ')}`);
  process.exit(2);
}
for (const name of positionals.length > 0 ? positionals : known) {
  const folder = resolve(values.out, name);
  rmSync(folder, { recursive: true, force: true });
  await bundle(name, folder);
  // `sidestream up` starts services as processes: it finds them where it finds them in this repository.
  if (name === 'cli') {
    for (const service of there) await bundle(service, join(folder, 'node_modules/@sidestream', service));
    command(join(folder, 'bin', 'sidestream'));
  }
  checkFiles(folder);
  console.error(`bundled ${relative(process.cwd(), folder)}`);
}

/** One program with its threads and assets: dist/main.js, package.json, sbom.cdx.json. */
async function bundle(name, folder) {
  const source = join(root, name === 'cli' ? 'cli' : join('services', name));
  const { version, exports } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['main.js', ...(threads[name] ?? [])].map((file) => join(source, 'dist', file)),
    // A thread is looked for beside the module that starts it, which is main.js now.
    entryNames: '[name]',
    outdir: join(folder, 'dist'),
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    banner: { js: banner },
    // Only tests start containers; native add-ons are optional to those who ask for them.
    external: ['testcontainers', 'bufferutil', 'utf-8-validate'],
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
  if (name === 'gateway')
    cpSync(join(root, 'packages', 'console', 'dist', 'www'), join(folder, 'dist', 'www'), { recursive: true });
  if (name === 'cli') cpSync(join(root, 'simulators', 'assets'), join(folder, 'assets'), { recursive: true });
  const manifest = { name: `@sidestream/${name}`, version, private: true, type: 'module', exports };
  write(join(folder, 'package.json'), manifest);
  write(join(folder, 'sbom.cdx.json'), {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', name: manifest.name, version } },
    components: componentsOf(Object.keys(metafile.inputs)),
  });
}

/** The image's command `sidestream`: no shell is there, nor `env`, which main.js asks for Node. */
function command(file) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "#!/nodejs/bin/node\nimport('../dist/main.js');\n");
  chmodSync(file, 0o755);
}

/** A file that a bundle names relative to itself must be in it, or it is missed only when it is needed. */
function checkFiles(folder) {
  const main = join(folder, 'dist', 'main.js');
  const names = readFileSync(main, 'utf8').matchAll(/new URL\(["'](\.[^"']+\.\w+)["'],\s*import\.meta\.url\)/g);
  const missing = [...names].map(([, name]) => name).filter((name) => !existsSync(join(dirname(main), name)));
  if (missing.length === 0) return;
  console.error(`${main} names files that are not bundled: ${missing.join(', ')}`);
  process.exit(1);
}

function write(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
