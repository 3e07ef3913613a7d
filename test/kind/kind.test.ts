// deploy/kind, as far as it can be tried without a cluster: what is applied fits together, and the script does its steps in order.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { configurationOf } from '../chart/configuration.js';
import { type Manifest, manifests } from '../chart/helm.js';
import { type PodSpec, podFaults, podsOf } from '../chart/pods.js';
import { helm, skip } from '../chart/renders.js';
import { schemaFaults } from '../chart/schema-check.js';
import { openBus, ownNats } from '../e2e/nats-stage.js';
import { runCli } from '../e2e/run-cli.js';

const folder = fileURLToPath(new URL('../../../deploy/kind/', import.meta.url));
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const namespace = 'sidestream';

const values = z.record(z.string(), z.unknown()).parse(parse(read('values-kind.yaml')));
const render = () => helm().template({ values, release: 'sidestream', namespace });
const surroundings = (): Manifest[] => manifests(read('surroundings.yaml'));

const secretList = z.object({
  items: z.array(z.object({ metadata: z.object({ name: z.string() }), stringData: z.record(z.string(), z.string()) })),
});
let made: Map<string, Record<string, string>> | undefined;

/** What secrets.mjs makes, by name; made once. */
function secrets(): Map<string, Record<string, string>> {
  if (made !== undefined) return made;
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'secrets.mjs')], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const { items } = secretList.parse(JSON.parse(stdout));
  made = new Map(items.map(({ metadata, stringData }) => [metadata.name, stringData]));
  return made;
}

test('the chart with these values, and what stands around it, is valid and as hardened as Pod Security `restricted` wants', {
  skip,
}, async () => {
  const rendered = render();
  assert.deepEqual(await schemaFaults([...rendered, ...surroundings()]), []);
  for (const pod of podsOf([...rendered, ...surroundings()])) {
    assert.equal(pod.spec.hostNetwork, false);
    assert.deepEqual(podFaults({ ...pod, spec: { ...pod.spec, serviceAccountName: pod.owner.metadata.name } }), []);
  }
  for (const pod of podsOf(rendered))
    await assert.doesNotReject(configurationOf(pod, rendered), pod.owner.metadata.name);
});

test('every Secret, and every key of it, that a pod mounts is made', { skip }, () => {
  const wanted = podsOf([...render(), ...surroundings()]).flatMap(({ spec }) => mounted(spec));
  assert.ok(wanted.length >= 10, JSON.stringify(wanted));
  for (const { name, keys } of wanted) {
    const secret = secrets().get(name);
    assert.ok(secret, `Secret ${name}`);
    for (const key of keys) assert.ok(secret[key], `${key} of ${name}`);
  }
});

function mounted(spec: PodSpec): { name: string; keys: string[] }[] {
  const whole = z.object({ secret: z.object({ secretName: z.string() }) });
  return spec.volumes.flatMap((volume) => {
    const plain = whole.safeParse(volume);
    if (plain.success) return [{ name: plain.data.secret.secretName, keys: [] }];
    return (volume.projected?.sources ?? []).flatMap(({ secret }) =>
      secret === undefined ? [] : [{ name: secret.name, keys: secret.items.map(({ key }) => key) }],
    );
  });
}

test('each certificate is that of the names by which it is reached, its key fits, and one authority has signed all', {
  skip,
}, () => {
  const rendered = JSON.stringify(render());
  const names = { nats: 4222, recorder: 5061, provider: 8443 };
  for (const [name, port] of Object.entries(names)) {
    const host = `${name}.${namespace}.svc.cluster.local`;
    assert.ok(rendered.includes(`${host}:${port}`), `the configuration names ${host}:${port}`);
    assert.ok(new X509Certificate(secrets().get(name)?.['tls.crt'] ?? '').checkHost(host), host);
  }
  for (const name of ['signalling', 'media-relay', 'policy-sync', 'registration', 'cli']) {
    const certificate = new X509Certificate(secrets().get(`sidestream-${name}-tls`)?.['tls.crt'] ?? '');
    const own = ['sidestream.internal', `${name}.sidestream.internal`];
    assert.equal(certificate.subjectAltName, own.map((one) => `DNS:${one}`).join(', '));
  }
  const withKeys = [...secrets().values()].filter((secret) => secret['tls.crt'] !== undefined);
  assert.equal(new Set(withKeys.map((secret) => secret['ca.crt'])).size, 1);
  for (const secret of withKeys) {
    const certificate = new X509Certificate(secret['tls.crt'] ?? '');
    assert.ok(certificate.checkPrivateKey(createPrivateKey(secret['tls.key'] ?? '')));
    assert.ok(certificate.verify(new X509Certificate(secret['ca.crt'] ?? '').publicKey));
  }
});

/** A folder, and NATS with the cluster's own configuration; undefined where there is no nats-server. */
async function clustersNats(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-kind-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const nats = secrets().get('nats') ?? {};
  const put = (name: string, text = '') => {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  for (const key of ['tls.crt', 'tls.key', 'ca.crt']) put(key, nats[key]);
  const config = (nats['nats.conf'] ?? '')
    .replace(/^listen:.*\nhttp:.*\n/, '')
    .replaceAll('/etc/nats/', `${directory}/`)
    .replace('store_dir: /data', `store_dir: ${directory}/data`);
  const peer = await ownNats(t, { args: ['-c', put('nats.conf', config)], jetStream: false });
  return peer && { put, server: peer.url.replace('nats://127.0.0.1', 'tls://localhost') };
}

test('operators’ commands reach NATS with what their pod mounts, and what examines files finds all of them', {
  skip,
}, async (t) => {
  const stage = await clustersNats(t);
  if (!stage) return;
  const rendered = render();
  const pod = podsOf(rendered).find(({ component }) => component === 'cli');
  assert.ok(pod);
  for (const { secret } of pod.spec.volumes.find(({ name }) => name === 'config')?.projected?.sources ?? [])
    for (const { key, path } of secret?.items ?? []) stage.put(`etc/${path}`, secrets().get(secret?.name ?? '')?.[key]);
  const map = rendered.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === pod.owner.metadata.name);
  const { data } = z.object({ data: z.object({ 'sidestream.yaml': z.string() }) }).parse(map);
  const told = data['sidestream.yaml'].replace('tls://nats.sidestream.svc.cluster.local:4222', stage.server);
  const file = stage.put('etc/sidestream.yaml', told);
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli([...args, '-c', file], { timeoutMs: 60_000 });
    return `${code} ${stdout}${stderr}`;
  };
  // NATS is asked, and nobody else is there.
  assert.match(
    await run('calls', 'list'),
    /^1 .*no signalling instance is running: NATS at .* has no lease signalling/,
  );
  assert.match(await run('config', 'check'), /^0 .*no problems/);
  // What it says of streams it was told by the server.
  assert.match(await run('doctor', '--only', 'nats,certificates'), /^ok +nats +nats\.servers.*JetStream holds/m);
});

test('NATS starts with its configuration, and lets in who has a certificate and credentials, to what is theirs', async (t) => {
  const stage = await clustersNats(t);
  if (!stage) return;
  const { put } = stage;
  const internal = secrets().get('sidestream-signalling-tls') ?? {};
  const bus = openBus(t, [stage.server], {
    tls: {
      ...{ certFile: put('internal.crt', internal['tls.crt']), keyFile: put('internal.key', internal['tls.key']) },
      caFile: put('internal-ca.crt', internal['ca.crt']),
    },
    credentialsFile: put('user.creds', secrets().get('sidestream-nats-signalling')?.['user.creds']),
  });
  const session = await bus.whenConnected(AbortSignal.timeout(20_000));
  await session.jetstream.publish('events.call.started', 'its own');
  await assert.rejects(session.jetstream.publish('events.media.up', ''), /permissions violation/i);
});
