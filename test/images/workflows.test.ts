// The CI workflows by their structure, since nothing runs them here: pinned, with few rights, naming only what there is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, '.github', 'workflows');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const permissions = z.record(z.string(), z.enum(['read', 'write', 'none']));
const step = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.looseObject({}).optional(),
});
const job = z.looseObject({
  'runs-on': z.string(),
  'timeout-minutes': z.int().max(90),
  permissions: permissions.optional(),
  container: z.object({ image: z.string() }).optional(),
  env: z.record(z.string(), z.string()).optional(),
  strategy: z.looseObject({ matrix: z.record(z.string(), z.array(z.string())) }).optional(),
  steps: z.array(step).min(1),
});
const workflow = z.looseObject({ permissions, jobs: z.record(z.string(), job) });

const files = readdirSync(folder).sort();
const texts = new Map(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
const workflows = new Map([...texts].map(([name, text]) => [name, workflow.parse(parse(text))]));
const jobs = [...workflows].flatMap(([file, { jobs: all }]) =>
  Object.entries(all).map(([name, one]) => ({ ...one, id: `${file}: ${name}` })),
);
/** Each value that an expression `… && 'one' || 'another'` in a text may give it. */
const readings = (text: string) => {
  const [whole, one, another] = /\$\{\{ [^}]* && '([^']*)' \|\| '([^']*)' \}\}/.exec(text) ?? [];
  return whole === undefined ? [text] : [one, another].map((part = '') => text.replace(whole, part));
};
const runs = jobs.flatMap(({ id, steps }) => steps.flatMap(({ run }) => (run === undefined ? [] : [{ id, run }])));

test('there is CI, a release and what needs a daemon, and every action is pinned to a commit, with its version beside it', () => {
  assert.deepEqual(files, ['ci.yml', 'deploy.yml', 'release.yml']);
  const commits = new Map<string, string>();
  for (const [name, text] of texts)
    for (const [line] of text.matchAll(/uses:.*/g)) {
      const [, action = '', commit = ''] = /^uses: ([\w-]+\/[\w-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$/.exec(line) ?? [];
      assert.ok(action, `${name}: ${line}`);
      assert.equal(commits.get(action) ?? commit, commit, `${action} is one commit everywhere`);
      commits.set(action, commit);
    }
  assert.ok(commits.size >= 10);
});

test('a job may read the source, and what writes packages and signatures is named', () => {
  for (const [name, { permissions: all }] of workflows) assert.deepEqual(all, { contents: 'read' }, name);
  const more = jobs.flatMap(({ id, permissions: own }) => (own === undefined ? [] : [[id, own]]));
  const published = { contents: 'read', packages: 'write', 'id-token': 'write' };
  assert.deepEqual(more, [
    ['release.yml: image', { ...published, attestations: 'write' }],
    ['release.yml: chart', published],
  ]);
  for (const { id, steps } of jobs)
    for (const { uses, with: given } of steps)
      if (uses?.startsWith('actions/checkout@')) assert.equal(given?.['persist-credentials'], false, id);
});

test('no script is made of what somebody outside may write', () => {
  for (const { id, run } of runs)
    for (const [, expression = ''] of run.matchAll(/\$\{\{(.*?)\}\}/g))
      assert.match(expression, /^ (matrix\.name|steps\.[\w.]+|github\.token) $/, `${id}: ${expression}`);
});

test('a script with a pipe fails where any part of it does', () => {
  const piped = runs.filter(({ run }) => / \| /.test(run));
  assert.ok(piped.length > 0);
  for (const { id, run } of piped) assert.match(run, /^set -o pipefail$/m, id);
});

test('every path and npm script that a workflow names is there', () => {
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
  const named = new Set<string>();
  for (const { id, run } of [...runs, { id: '.ci/run', run: read('.ci/run') }]) {
    for (const [, script = ''] of run.matchAll(/npm (?:--silent )?run (?:--silent )?([\w:-]+)/g))
      assert.ok(scripts[script], `${id}: npm run ${script}`);
    for (const [path] of run.matchAll(/(?:\.\/)?(?:tools|helm|deploy|\.ci)\/[\w./-]+/g)) named.add(path);
  }
  for (const { steps } of jobs)
    for (const { with: given } of steps)
      if (typeof given?.['file'] === 'string') for (const path of readings(given['file'])) named.add(path);
  for (const path of named) assert.ok(existsSync(join(root, path)), path);
  for (const path of [
    './.ci/run',
    'deploy/images/Dockerfile',
    'deploy/images/rtpengine.Dockerfile',
    'tools/chart-images.mjs',
    'helm/sidestream',
    'deploy/kind/kind.sh',
    'deploy/compose.yaml',
  ])
    assert.ok(named.has(path), path);
  accessSync(join(root, '.ci', 'run'), constants.X_OK);
  assert.ok(scripts['test']);
});

test('every script is one that bash reads, as a runner gives it', () => {
  for (const { id, run } of runs) {
    const { status, stderr } = spawnSync('bash', ['-n'], {
      input: run.replace(/\$\{\{.*?\}\}/g, 'value'),
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${id}: ${stderr}`);
  }
});

test('tests that run in a container of their own start no others, and the one that a release waits for is pinned', () => {
  const inContainers = jobs.filter(({ container }) => container !== undefined);
  assert.equal(inContainers.length, 2);
  for (const { id, env } of inContainers) assert.equal(env?.['SIDESTREAM_PEERS'], 'binaries', id);
  assert.match(workflows.get('release.yml')?.jobs['test']?.container?.image ?? '', /:[\w.-]+@sha256:[0-9a-f]{64}$/);
});

test('cluster and demo are tried each night and where what is deployed changes, with the kind that the node’s image is of', () => {
  const { on } = z
    .looseObject({
      on: z.looseObject({
        schedule: z.array(z.unknown()).min(1),
        pull_request: z.object({ paths: z.array(z.string()) }),
      }),
    })
    .parse(workflows.get('deploy.yml'));
  assert.ok(
    ['deploy/**', 'helm/**', '.github/workflows/deploy.yml'].every((path) => on.pull_request.paths.includes(path)),
  );
  for (const path of on.pull_request.paths) assert.ok(existsSync(join(root, path.replace('/**', ''))), path);
  const ran = (job: string) => (workflows.get('deploy.yml')?.jobs[job]?.steps ?? []).map(({ run = '' }) => run);
  assert.ok(ran('kind').includes('deploy/kind/kind.sh up') && ran('kind').includes('deploy/kind/kind.sh test'));
  assert.ok(ran('compose').some((run) => /^docker compose -f deploy\/compose\.yaml run --rm demo$/.test(run)));
  for (const job of ['kind', 'compose'])
    assert.ok(
      workflows.get('deploy.yml')?.jobs[job]?.steps.some((one) => one['if'] === 'failure()'),
      job,
    );

  const setUp = workflows
    .get('deploy.yml')
    ?.jobs['kind']?.steps.find(({ uses }) => uses?.startsWith('helm/kind-action@'))?.with;
  const cluster = read('deploy/kind/cluster.yaml');
  const [, node = ''] = /image: kindest\/node:(v[\d.]+)@sha256:[0-9a-f]{64}$/m.exec(cluster) ?? [];
  assert.equal(setUp?.['kubectl_version'], node);
  assert.ok(cluster.includes(`kind ${String(setUp?.['version'])}`));
});

test('CI builds, and a release pushes, an image of each service, of the command line and of rtpengine: all that the chart asks for', () => {
  const matrix = (file: string) => [...(workflows.get(file)?.jobs['image']?.strategy?.matrix['name'] ?? [])].sort();
  const services = readdirSync(join(root, 'services')).filter((name) =>
    existsSync(join(root, 'services', name, 'package.json')),
  );
  assert.deepEqual(matrix('release.yml'), [...services, 'cli', 'rtpengine'].sort());
  assert.deepEqual(matrix('ci.yml'), matrix('release.yml'));
  // What the bundler knows, in its own words.
  const { stderr } = spawnSync(process.execPath, [join(root, 'tools', 'bundle.mjs'), 'nothing'], { encoding: 'utf8' });
  const bundled = /to bundle, but (.*)/.exec(stderr)?.[1]?.split(', ') ?? [];
  assert.deepEqual([...bundled, 'rtpengine'].sort(), matrix('release.yml'));
  const { images } = z
    .object({ images: z.record(z.string(), z.object({ repository: z.string() })) })
    .parse(parse(read('helm/sidestream/values.yaml')));
  for (const { repository } of Object.values(images)) {
    const [owner, name = ''] = repository.split('/');
    if (owner === 'sidestream') assert.ok(matrix('release.yml').includes(name), repository);
  }
});

test('images and chart are signed by digest, and images have SBOM and provenance', () => {
  const of = (name: string) => workflows.get('release.yml')?.jobs[name]?.steps ?? [];
  for (const name of ['image', 'chart']) {
    const signing = of(name).flatMap(({ run }) => (run?.includes('cosign sign') ? [run] : []));
    assert.equal(signing.length, 1);
    assert.match(
      signing[0] ?? '',
      /cosign sign --yes "[^"]*@\$(\{\{ steps\.build\.outputs\.digest \}\}|DIGEST)"/,
      name,
    );
  }
  const build = of('image').find(({ uses }) => uses?.startsWith('docker/build-push-action@'))?.with;
  assert.deepEqual([build?.['sbom'], build?.['provenance'], build?.['push']], [true, 'mode=max', true]);
  const attest = of('image').find(({ uses }) => uses?.startsWith('actions/attest-build-provenance@'))?.with;
  assert.match(String(attest?.['subject-digest']), /steps\.build\.outputs\.digest/);
});

test('the dependency-update bot finds the image of others in the chart, and leaves what needs a newer Node', () => {
  const bot = z
    .looseObject({
      extends: z.array(z.string()),
      customManagers: z.array(
        z.looseObject({ managerFilePatterns: z.array(z.string()), matchStrings: z.array(z.string()) }),
      ),
    })
    .parse(JSON.parse(read('renovate.json')));
  for (const preset of ['docker:pinDigests', 'helpers:pinGitHubActionDigests']) assert.ok(bot.extends.includes(preset));
  const [manager] = bot.customManagers;
  const [file = ''] = manager?.managerFilePatterns ?? [];
  assert.ok(new RegExp(file.replace(/^\/|\/$/g, '')).test('helm/sidestream/values.yaml'));
  const found = [...read('helm/sidestream/values.yaml').matchAll(new RegExp(manager?.matchStrings[0] ?? '', 'g'))];
  assert.deepEqual(
    found.map(({ groups }) => groups?.['depName']),
    ['docker.io/drachtio/drachtio-server'],
  );
});
