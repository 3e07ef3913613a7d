// The chart as a release packages it: with the images that the same release has pushed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
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

test('a released chart asks for the images that were pushed, by their digests, and leaves others alone', {
  skip,
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-release-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const chart = join(folder, 'sidestream');
  cpSync(chartFolder, chart, { recursive: true });
  mkdirSync(join(folder, 'digests'));
  const digestOf = (name: string) => `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`;
  for (const name of pushed()) writeFileSync(join(folder, 'digests', name), `${digestOf(name)}\n`);
  const tool = join(repository, 'tools', 'chart-images.mjs');
  const place = [
    '--registry',
    'registry.example',
    '--prefix',
    'owner/sidestream',
    '--digests',
    join(folder, 'digests'),
  ];
  const { status, stderr } = spawnSync(process.execPath, [tool, ...place, join(chart, 'values.yaml')], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const values = { ...oneRegion, gateway: { enabled: true } };
  const images = podsOf(helm().template({ values, chart })).flatMap(({ spec }) =>
    [...spec.initContainers, ...spec.containers].map(({ image }) => image),
  );
  const others = images.filter((image) => !image.includes('sidestream'));
  assert.deepEqual([...new Set(others.map((image) => image.replace(/:.*/, '')))].sort(), [
    'docker.io/drachtio/drachtio-server',
    'docker.io/drachtio/rtpengine',
  ]);
  const ours = ['cli', 'gateway', 'media-relay', 'policy-sync', 'registration', 'signalling'];
  assert.deepEqual(
    [...new Set(images)].filter((image) => !others.includes(image)).sort(),
    ours.map((name) => `registry.example/owner/sidestream/${name}@${digestOf(name)}`),
  );
});

test('the chart of this folder asks nobody else’s registry for our images', { skip }, () => {
  const of = (values: object) =>
    podsOf(helm().template({ values: { ...oneRegion, ...values } })).flatMap(({ spec }) =>
      [...spec.initContainers, ...spec.containers].flatMap(({ image }) => (/drachtio\//.test(image) ? [] : [image])),
    );
  for (const image of of({})) assert.match(image, /^unset\.invalid\/sidestream\/[a-z-]+:/);
  for (const image of of({ imageRegistry: '' })) assert.match(image, /^sidestream\//);
});
