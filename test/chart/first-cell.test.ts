// The steps of the chart's README, run in a shell whose tools only note what they are asked for: they make all that its values need.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { chartFolder } from './helm.js';
import { podsOf } from './pods.js';
import { helm, skip } from './renders.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const readme = readFileSync(join(chartFolder, 'README.md'), 'utf8');
const section = readme.slice(readme.indexOf('## The first cell'), readme.indexOf('## How pods are'));
const blocks = (language: string) =>
  [...section.matchAll(new RegExp(`^ *\`\`\`${language}\\n([^]*?)^ *\`\`\`$`, 'gm'))].map(([, text = '']) => text);
/** Every call of a tool, as a line; users with what they may publish. */
const noted = `
note() { printf '%s\\n' "$*" >&2; }
docker() { note docker "$@"; }
kubectl() { note kubectl "$@"; }
nsc() { note nsc "$@"; }
helm() { note helm "$@"; }
rm() { :; }
`;

test('the steps of the README make every Secret, ConfigMap and image that its values ask for', { skip }, () => {
  const { status, stderr } = spawnSync('/bin/bash', ['-euc', noted + blocks('sh').join('\n')], {
    cwd: repository,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  const made = (pattern: RegExp) => [...stderr.matchAll(pattern)].map(([, name = '']) => name).sort();

  const values = z.looseObject({}).parse(parse(blocks('yaml')[0] ?? ''));
  const objects = helm().template({ values, release: 'sidestream', namespace: 'sidestream' });
  const workloads = podsOf(objects).filter(({ owner }) => owner.kind !== 'Pod');
  const sources = workloads.flatMap(({ spec }) =>
    spec.volumes.flatMap(({ name, projected }) => (name === 'config' ? (projected?.sources ?? []) : [])),
  );
  const unique = (names: readonly (string | undefined)[]) => [...new Set(names.flatMap((name) => name ?? []))].sort();
  const ofCertManager = /-tls$/;
  assert.deepEqual(
    made(/create secret generic (\S+)/g),
    unique(sources.map(({ secret }) => secret?.name)).filter((name) => !ofCertManager.test(name)),
  );
  assert.deepEqual(
    made(/create configmap (\S+)/g),
    unique(sources.map(({ configMap }) => configMap?.items && configMap.name)),
  );
  const pushed = made(/docker push (\S+)/g);
  for (const image of unique(
    workloads.flatMap(({ spec }) => [...spec.initContainers, ...spec.containers].map(({ image }) => image)),
  ))
    assert.ok(pushed.includes(image) || /drachtio\//.test(image), image);
  assert.match(stderr, /label namespace sidestream pod-security\.kubernetes\.io\/enforce=privileged/);

  const users = z
    .record(z.string(), z.object({ publish: z.array(z.string()) }))
    .parse(parse(readFileSync(join(chartFolder, 'nats-permissions.yaml'), 'utf8')));
  const relay = [users['all'], users['media-relay']].flatMap((user) => user?.publish ?? []).join();
  assert.ok(stderr.includes(`--name media-relay --allow-pub ${relay} --allow-sub _INBOX.>\n`), stderr);
});
