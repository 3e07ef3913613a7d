// deploy/kind/kind.sh with tools that only note what they are asked for: its steps, the one cluster that it touches, and what it says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { manifests } from '../chart/helm.js';
import { podsOf } from '../chart/pods.js';
import { helm, skip } from '../chart/renders.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const script = join(root, 'deploy', 'kind', 'kind.sh');
const bash = '/bin/bash';
/** What the script needs of any Linux. */
const plain = ['cat', 'date', 'grep', 'timeout', 'env'];
const tools = ['docker', 'kind', 'kubectl', 'helm', 'npx', 'npm'];

/** A PATH with tools that write down how they are called; `fail` is a pattern of a call that fails, `madeOf` tells of keys that are there. */
function machine(t: TestContext, { fail = 'nothing', without = [] as string[], clusters = '', madeOf = '' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-kind-script-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of plain)
    symlinkSync(
      ['/usr/bin', '/bin']
        .map((at) => join(at, name))
        .find((at) => readdirSync(at.slice(0, at.lastIndexOf('/'))).includes(name)) ?? '',
      join(folder, name),
    );
  const notes = join(folder, 'notes');
  writeFileSync(notes, '');
  const keys = join(folder, 'keys');
  writeFileSync(keys, madeOf);
  symlinkSync(process.execPath, join(folder, 'node'));
  for (const name of tools.filter((tool) => !without.includes(tool))) {
    const file = join(folder, name);
    writeFileSync(
      file,
      `#!${bash}
echo "${name} $*" >> ${notes}
[[ "${name} $1" == "docker build" && -z "$BUILDX_NO_DEFAULT_ATTESTATIONS" ]] && exit 1
[[ "${name} $*" =~ ${fail} ]] && exit 1
case "${name} $*" in
  "kind get clusters") echo "${clusters}" ;;
  *"get secret nats"*) cat ${keys} ;;
  *"apply -f -")
    wanted='"made-of": "([^"]*)'
    while read -r line; do [[ $line =~ $wanted ]] && echo -n "\${BASH_REMATCH[1]}" > ${keys}; done
    true ;;
  "docker image inspect --format {{.Id}} "*) for image in "\${@:5}"; do echo "sha256:of-$image"; done ;;
esac
exit 0
`,
    );
    chmodSync(file, 0o755);
  }
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(bash, [script, ...args], {
      env: { PATH: folder },
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, stdout, stderr, calls: readFileSync(notes, 'utf8').trim().split('\n') };
  };
  return { run };
}

test('the script is one that bash reads, and says how it is used', (t) => {
  assert.equal(spawnSync(bash, ['-n', script]).status, 0);
  const { run } = machine(t);
  const help = run('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /usage: deploy\/kind\/kind\.sh up \| test \| down/);
  assert.equal(run('upp').status, 2);
  assert.match(run().stderr, /usage:/);
});

test('what is not installed is said in one line, with exit code 2, before anything is done', (t) => {
  const { run } = machine(t, { without: ['docker', 'helm'] });
  const { status, stderr, calls } = run('up');
  assert.equal(status, 2);
  assert.equal(stderr, 'kind.sh: not installed: docker helm\n');
  assert.deepEqual(calls, ['']);
});

test('up builds and loads every image of ours that is then run, installs in order, and touches no other cluster', {
  skip,
}, (t) => {
  const { run } = machine(t);
  const { status, stdout, stderr, calls } = run('up');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /kind\.sh test/);
  const after = (pattern: RegExp) => {
    const index = calls.findIndex((call) => pattern.test(call));
    assert.ok(index >= 0, `${pattern}: ${calls.join('\n')}`);
    return index;
  };
  const order = [
    /^kind create cluster .*cluster\.yaml/,
    /^docker build/,
    /^kind load/,
    /create namespace/,
    /apply -f deploy\/kind\/surroundings\.yaml/,
    /rollout status deployment\/nats/,
    /^helm .*upgrade --install sidestream helm\/sidestream -f deploy\/kind\/values-kind\.yaml/,
    /rollout status statefulset\/sidestream-local-sip --timeout=\d+s/,
  ].map(after);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  for (const call of calls) {
    if (call.startsWith('kubectl')) assert.match(call, /--context kind-sidestream /);
    if (call.startsWith('helm')) assert.match(call, /--kube-context kind-sidestream /);
  }

  const values: unknown = parse(readFileSync(join(root, 'deploy/kind/values-kind.yaml'), 'utf8'));
  const rendered = helm().template({
    values: z.looseObject({}).parse(values),
    release: 'sidestream',
    namespace: 'sidestream',
  });
  const around = manifests(readFileSync(join(root, 'deploy/kind/surroundings.yaml'), 'utf8'));
  const used = podsOf([...rendered, ...around]).flatMap(({ spec }) =>
    [...spec.initContainers, ...spec.containers].map(({ image }) => image),
  );
  const ours = [...new Set(used.filter((image) => image.startsWith('sidestream/')))].sort();
  const loaded = calls
    .flatMap((call) => /^kind load docker-image --name sidestream (\S+)$/.exec(call)?.[1] ?? [])
    .sort();
  const built = calls.flatMap(
    (call) =>
      /^docker build .*-f deploy\/images\/(?:rtpengine\.)?Dockerfile --build-arg NAME=(\S+) -t (\S+) \.$/
        .exec(call)
        ?.slice(1) ?? [],
  );
  assert.deepEqual(loaded, ours);
  assert.deepEqual(built.filter((_, index) => index % 2 === 1).sort(), ours);
  // Every workload is waited for.
  const workloads = [...rendered, ...around].filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  for (const { kind, metadata } of workloads)
    after(new RegExp(`rollout status ${kind.toLowerCase()}/${metadata.name} --timeout`));
});

test('pods have on them what images and keys they are of: what changes replaces those that use it, and no others', {
  skip,
}, (t) => {
  const annotations = (calls: string[], key: string) =>
    Object.fromEntries(
      [
        ...(calls.find((call) => /^helm .*upgrade/.test(call)) ?? '').matchAll(
          /(\w+)\.podAnnotations\.(\w+)=([^,]*?)(?=,| --|$)/g,
        ),
      ]
        .filter(([, , name]) => name === key)
        .map(([, workload = '', , value = '']) => [workload, value]),
    );
  const applies = (calls: string[]) => calls.filter((call) => call.endsWith('apply -f -')).length;
  const fresh = machine(t).run('up').calls;
  assert.deepEqual(annotations(fresh, 'images'), {
    signalling: 'sha256:of-sidestream/signalling:kind sha256:of-sidestream/cli:kind',
    mediaRelay: 'sha256:of-sidestream/media-relay:kind sha256:of-sidestream/rtpengine:kind',
    policySync: 'sha256:of-sidestream/policy-sync:kind',
    registration: 'sha256:of-sidestream/registration:kind',
    operator: 'sha256:of-sidestream/cli:kind',
  });
  const keys = annotations(fresh, 'keys');
  const [madeOf = ''] = Object.values(keys);
  assert.match(madeOf, /^[0-9a-f]{64} \d{4}-/);
  assert.deepEqual(Object.keys(keys), ['signalling', 'mediaRelay', 'policySync', 'registration', 'operator']);
  assert.equal(new Set(Object.values(keys)).size, 1);
  assert.ok(fresh.some((call) => call.includes('patch deployment/nats') && call.includes(`"keys":"${madeOf}"`)));

  // Secrets are made at first, then kept; they are made anew where permissions have changed, or when they end within the week.
  assert.equal(applies(fresh), 2);
  const kept = machine(t, { clusters: 'sidestream', madeOf }).run('up').calls;
  assert.equal(applies(kept), 1);
  assert.equal(annotations(kept, 'keys')['signalling'], madeOf);
  const [source = ''] = madeOf.split(' ');
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  for (const old of [`${'0'.repeat(64)} ${inDays(50)}`, `${source} ${inDays(6)}`, source]) {
    const renewed = machine(t, { clusters: 'sidestream', madeOf: old }).run('up').calls;
    assert.equal(applies(renewed), 2, old);
    assert.equal(annotations(renewed, 'keys')['signalling']?.split(' ')[0], source);
    assert.notEqual(annotations(renewed, 'keys')['signalling'], old);
  }
});

test('a step that fails is named, with where to look, and nothing is done after it', (t) => {
  const { run } = machine(t, { fail: 'rollout.status.deployment/recorder' });
  const { status, stderr, calls } = run('up');
  assert.equal(status, 1);
  assert.match(
    stderr,
    /kind\.sh: failed at: waiting for deployment\/recorder\nkind\.sh: look at: kubectl .*describe pods/,
  );
  assert.match(calls.at(-1) ?? '', /rollout status deployment\/recorder/);
});

test('a cluster that is there is kept; down deletes it and no other; test needs one', (t) => {
  const there = machine(t, { clusters: 'sidestream' });
  assert.ok(!there.run('up').calls.some((call) => call.startsWith('kind create')));
  assert.match(there.run('test').calls.at(-1) ?? '', /^helm .* test sidestream --timeout 5m$/);
  const failing = machine(t, { clusters: 'sidestream', fail: 'helm.*test.sidestream' }).run('test');
  assert.equal(failing.status, 1);
  assert.match(
    failing.calls.at(-1) ?? '',
    /^kubectl .* logs -l app\.kubernetes\.io\/component=test --all-containers --prefix/,
  );
  assert.match(there.run('down').calls.at(-1) ?? '', /^kind delete cluster --name sidestream$/);
  const { status, stderr } = machine(t, { clusters: 'other' }).run('test');
  assert.equal(status, 1);
  assert.match(stderr, /there is no cluster "sidestream": kind\.sh up/);
});
