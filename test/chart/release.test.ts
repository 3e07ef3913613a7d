// The chart as a release packages it: with the images that the same release has pushed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { searchPath } from './config.js';
import { chartFolder, findHelm, type Helm } from './helm.js';
import { podsOf } from './pods.js';
import { oneRegion } from './values.js';

const found = findHelm(searchPath());
const skip = typeof found === 'string' ? `the chart is not rendered: ${found}` : false;
const helm = () => found as Helm;
const repository = fileURLToPath(new URL('../../../', import.meta.url));

const jobs = z.object({
  jobs: z.object({
    image: z.looseObject({
      needs: z.literal('test'),
      strategy: z.object({ matrix: z.object({ name: z.array(z.string()) }) }),
    }),
    chart: z.looseObject({ needs: z.literal('image') }),
  }),
});

/** The names of what the release builds and pushes, after its tests. */
function pushed(): string[] {
  const workflow: unknown = parse(readFileSync(join(repository, '.github/workflows/release.yml'), 'utf8'));
  return jobs.parse(workflow).jobs.image.strategy.matrix.name;
}

const tool = join(repository, 'tools', 'chart-images.mjs');
const digestOf = (name: string) => `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`;

/** A copy of the chart and, in `digests`, what the workflow writes down of each image. */
function release(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-release-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const chart = join(folder, 'sidestream');
  const digests = join(folder, 'digests');
  cpSync(chartFolder, chart, { recursive: true });
  mkdirSync(digests);
  const file = join(chart, 'values.yaml');
  // As if the dependency-update bot had not been here yet.
  writeFileSync(file, readFileSync(file, 'utf8').replace(/(drachtio-server, tag: [^,]+, digest: )"[^"]*"/, '$1""'));
  const others = spawnSync(process.execPath, [tool, '--others', file], { encoding: 'utf8' }).stdout.trim().split('\n');
  for (const name of [...pushed(), ...others.map((line) => line.replace(/ .*/, ''))])
    writeFileSync(join(digests, name), `${digestOf(name)}\n`);
  const place = ['--registry', 'registry.example', '--prefix', 'owner/sidestream', '--digests', digests];
  const run = () => spawnSync(process.execPath, [tool, ...place, file], { encoding: 'utf8' });
  return { chart, file, digests, others, run };
}

test('a released chart asks for the images that were pushed, and for those of others, by their digests', {
  skip,
}, (t) => {
  const { chart, others: unknown, run } = release(t);
  const { images: named } = z
    .object({ images: z.record(z.string(), z.object({ repository: z.string(), tag: z.string() })) })
    .parse(parse(readFileSync(join(chartFolder, 'values.yaml'), 'utf8')));
  const drachtio = named['drachtio'];
  assert.deepEqual(unknown, [`drachtio ${drachtio?.repository}:${drachtio?.tag}`]);
  const { status, stderr } = run();
  assert.equal(status, 0, stderr);
  const values = { ...oneRegion, gateway: { enabled: true } };
  const images = podsOf(helm().template({ values, chart })).flatMap(({ spec }) =>
    [...spec.initContainers, ...spec.containers].map(({ image }) => image),
  );
  const others = images.filter((image) => !image.includes('sidestream'));
  assert.deepEqual([...new Set(others)], [`docker.io/drachtio/drachtio-server@${digestOf('drachtio')}`]);
  const ours = ['cli', 'gateway', 'media-relay', 'policy-sync', 'registration', 'rtpengine', 'signalling'];
  assert.deepEqual(
    [...new Set(images)].filter((image) => !others.includes(image)).sort(),
    ours.map((name) => `registry.example/owner/sidestream/${name}@${digestOf(name)}`),
  );
});

test('a release whose chart would ask for an image by its tag is refused, and nothing is written', (t) => {
  for (const [name, key] of Object.entries({ cli: 'cli', 'media-relay': 'mediaRelay', drachtio: 'drachtio' })) {
    const { file, digests, run } = release(t);
    const before = readFileSync(file, 'utf8');
    for (const spoil of [
      () => writeFileSync(join(digests, name), '\n'),
      () => writeFileSync(join(digests, name), 'sha256:1234\n'),
      () => rmSync(join(digests, name)),
    ]) {
      spoil();
      const { status, stderr } = run();
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`^no digest of images\\.${key}: '[^']*'\n$`));
      assert.equal(readFileSync(file, 'utf8'), before);
    }
  }
});

test('a digest that the chart has of somebody else’s image already is kept', (t) => {
  const { file, digests, run } = release(t);
  const written = `sha256:${'a'.repeat(64)}`;
  const text = readFileSync(file, 'utf8').replace(/(drachtio-server, tag: [^,]+, digest: )""/, `$1"${written}"`);
  writeFileSync(file, text);
  assert.equal(spawnSync(process.execPath, [tool, '--others', file], { encoding: 'utf8' }).stdout, '');
  rmSync(join(digests, 'drachtio'));
  assert.equal(run().status, 0);
  assert.ok(readFileSync(file, 'utf8').includes(written));
});

test('the chart of this folder asks nobody else’s registry for our images', { skip }, () => {
  const of = (values: object) =>
    podsOf(helm().template({ values: { ...oneRegion, ...values } })).flatMap(({ spec }) =>
      [...spec.initContainers, ...spec.containers].flatMap(({ image }) => (/drachtio\//.test(image) ? [] : [image])),
    );
  for (const image of of({})) assert.match(image, /^unset\.invalid\/sidestream\/[a-z-]+:/);
  for (const image of of({ imageRegistry: '' })) assert.match(image, /^sidestream\//);
});
