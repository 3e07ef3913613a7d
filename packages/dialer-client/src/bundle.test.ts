import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

test('the whole library, minified and gzipped, is under 6 kB and needs nothing else', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('index.js', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  assert.deepEqual(
    inputs.filter((file) => !/(^|\/)dist\/[\w-]+\.js$/.test(file)),
    [],
  );
  const bytes = gzipSync(outputFiles[0]?.contents ?? '').length;
  assert.ok(bytes > 1_000 && bytes < 6_000, `${bytes} bytes`);
});
