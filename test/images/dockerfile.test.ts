// The Dockerfile by its structure: what can't be built here must at least say the right things.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Instructions with their lines joined, without comments. */
const instructions = read('deploy/images/Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line): [string, string] => {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    return [word, rest.join(' ')];
  });
const stages: [string, string][][] = [[]];
for (const one of instructions) {
  if (one[0] === 'FROM') stages.push([]);
  stages.at(-1)?.push(one);
}
const [before = [], build = [], run = []] = stages;
const values = (stage: [string, string][], word: string) =>
  stage.filter(([name]) => name === word).map(([, rest]) => rest);

test('two stages: what builds is not what runs, and both are the same line of Node, with long-term support', () => {
  assert.equal(stages.length, 3);
  const bases = Object.fromEntries(values(before, 'ARG').map((text) => text.split('=') as [string, string]));
  const lines = [
    /node:(\d+)-/.exec(bases['BUILD_IMAGE'] ?? '')?.[1],
    /nodejs(\d+)-/.exec(bases['RUN_IMAGE'] ?? '')?.[1],
  ];
  assert.equal(lines[0], lines[1]);
  const line = Number(lines[0]);
  assert.ok(line >= 22 && line % 2 === 0, String(line));
  for (const base of Object.values(bases))
    assert.match(
      base,
      /^[\w.]+\/.+:(?!latest)[\w.-]+@sha256:[0-9a-f]{64}$/,
      'a registry, a tag that is not latest, and its digest',
    );
  assert.match(values(build, 'FROM').join(), /^--platform=\$BUILDPLATFORM \$\{BUILD_IMAGE\} AS build$/);
  assert.match(values(run, 'FROM').join(), /^\$\{RUN_IMAGE\}$/);
});

test('packages come as they are locked and run no scripts of theirs; until the bundle all images are one', () => {
  const names = build.map(([word, rest]) => `${word} ${rest}`);
  assert.ok(names.some((line) => /^RUN npm ci --ignore-scripts /.test(line)));
  const name = names.indexOf('ARG NAME');
  assert.ok(name > names.findIndex((line) => line.includes('run --silent build')));
  assert.match(names[name + 1] ?? '', /^RUN node tools\/bundle\.mjs /);
  const ignored = read('.dockerignore').split('\n');
  for (const path of ['**/node_modules', '**/dist', '.git', 'out']) assert.ok(ignored.includes(path), path);
});

test('what runs is root’s and read by nobody else’s leave: no shell, no root, nothing but Node and the bundle', () => {
  assert.deepEqual(values(run, 'USER'), ['65532:65532']);
  assert.deepEqual(values(run, 'COPY'), ['--from=build --chown=0:0 /app /app']);
  assert.deepEqual(z.array(z.string()).parse(JSON.parse(values(run, 'ENTRYPOINT')[0] ?? '')), [
    '/nodejs/bin/node',
    '/app/dist/main.js',
  ]);
  for (const word of ['RUN', 'CMD', 'HEALTHCHECK', 'SHELL', 'ADD', 'EXPOSE', 'VOLUME'])
    assert.deepEqual(values(run, word), [], word);
  const [environment = ''] = values(run, 'ENV');
  assert.match(environment, /NODE_ENV=production/);
  assert.match(environment, / PATH=\/app\/bin:\$\{PATH\}$/);
  assert.doesNotMatch(environment, /secret|password|token/i);
});

test('rtpengine is Debian’s, of the version that the tests run, on a base that is pinned, and no root', () => {
  const text = read('deploy/images/rtpengine.Dockerfile');
  assert.match(text, /^ARG RUN_IMAGE=docker\.io\/library\/debian:bookworm-slim@sha256:[0-9a-f]{64}$/m);
  const [, version = ''] = /rtpengine-daemon=(\d+\.\d+)\.\*/.exec(text) ?? [];
  assert.match(text, /^USER 65532:65532$/m);
  const { status, stdout, stderr } = spawnSync('rtpengine', ['--version'], { encoding: 'utf8' });
  if (status === 0) assert.ok(`${stdout}${stderr}`.includes(`Version: ${version}.`), `${stdout}${stderr}`);
});

test('the demo by compose: every image has a version, nothing is published beyond this machine, and all are hardened', () => {
  const service = z.looseObject({
    image: z.string(),
    user: z.literal('65532:65532'),
    read_only: z.literal(true),
    cap_drop: z.tuple([z.literal('ALL')]),
    ports: z.array(z.string().startsWith('127.0.0.1:')).optional(),
    privileged: z.undefined().optional(),
  });
  const compose = z
    .object({
      services: z.record(z.string(), service),
      networks: z.object({ alone: z.object({ internal: z.literal(true) }) }),
    })
    .loose()
    .parse(parse(read('deploy/compose.yaml'), { merge: true }));
  const foreign = Object.values(compose.services).filter(({ image }) => !image.startsWith('sidestream/'));
  for (const { image } of foreign)
    assert.match(image, /drachtio-server:\d[\w.-]+(@sha256:[0-9a-f]{64})?$|:(?!latest)[\w.-]+@sha256:[0-9a-f]{64}$/);
  // The same NATS beside the demo and in the cluster on one machine.
  const { nats } = compose.services;
  assert.ok(nats && read('deploy/kind/surroundings.yaml').includes(nats.image));
});

test('the demo waits until each of what it asks once answers, and one service alone builds each image', () => {
  const dependency = z.record(z.string(), z.object({ condition: z.string() }));
  const { services } = z
    .looseObject({
      services: z.record(
        z.string(),
        z.looseObject({
          image: z.string(),
          build: z.looseObject({ context: z.string(), dockerfile: z.string() }).optional(),
          depends_on: dependency.default({}),
          healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
        }),
      ),
    })
    .parse(parse(read('deploy/compose.yaml'), { merge: true }));
  for (const [name, { depends_on }] of Object.entries(services))
    for (const [other, { condition }] of Object.entries(depends_on))
      assert.ok(condition !== 'service_healthy' || services[other]?.healthcheck, `${name}: ${other}`);
  assert.deepEqual(services['demo']?.depends_on, {
    nats: { condition: 'service_healthy' },
    drachtio: { condition: 'service_healthy' },
    rtpengine: { condition: 'service_healthy' },
  });
  const images = Object.values(services).flatMap(({ image }) => (image.startsWith('sidestream/') ? [image] : []));
  const built = Object.values(services).flatMap(({ image, build }) => (build === undefined ? [] : [image]));
  assert.deepEqual(built.sort(), [...new Set(images)].sort());
});
