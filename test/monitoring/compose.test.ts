// The profile `monitoring` of deploy/compose.yaml, by what stands in its files: no daemon runs here.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { findExecutable } from '@sidestream/peers';
import { parse } from 'yaml';
import { z } from 'zod';
import { alertFolder, promtool, repository, yamlFiles } from './alert-files.js';
import { dashboardFolder } from './dashboard-files.js';

const file = join(repository, 'deploy', 'compose.yaml');
const service = z.looseObject({
  profiles: z.tuple([z.literal('monitoring')]).optional(),
  image: z.string(),
  command: z.union([z.string(), z.array(z.string())]).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
  network_mode: z.string().optional(),
  read_only: z.literal(true),
  user: z.literal('65532:65532'),
  cap_drop: z.tuple([z.literal('ALL')]),
});
const compose = z.looseObject({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.unknown()),
});
const { services, networks, volumes } = compose.parse(parse(readFileSync(file, 'utf8'), { merge: true }));

function serviceOf(name: string): z.output<typeof service> {
  const found = services[name];
  assert.ok(found, name);
  return found;
}

/** What is mounted where: a path of this repository, or the name of a volume. */
function mountsOf(name: string): Map<string, string> {
  return new Map(
    serviceOf(name).volumes.map((mount) => {
      const [source = '', target = '', mode] = mount.split(':');
      if (source.startsWith('.')) assert.equal(mode, 'ro', mount);
      return [target, source.startsWith('.') ? resolve(dirname(file), source) : source];
    }),
  );
}

/** Where a path inside a container leads in this repository. */
function outside(name: string, path: string): string {
  const mount = [...mountsOf(name)].find(([target]) => path === target || path.startsWith(`${target}/`));
  assert.ok(mount, `${name} has no ${path}`);
  return join(mount[1], path.slice(mount[0].length));
}

test('without the profile nothing of it starts, and nothing is published', () => {
  const inProfile = Object.entries(services).filter(([, { profiles }]) => profiles !== undefined);
  assert.deepEqual(inProfile.map(([name]) => name).sort(), ['grafana', 'prometheus']);
  for (const [name, { profiles, ports, image }] of Object.entries(services)) {
    if (profiles === undefined) assert.deepEqual(ports, [], name);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name);
    assert.match(
      image,
      /:v?\d+\.\d+(\.\d+)?(-alpine)?(@sha256:[0-9a-f]{64})?$|^sidestream\/(cli|rtpengine):demo$/,
      name,
    );
  }
});

test('every mounted file and folder is there, read-only, and every volume and network is declared', () => {
  for (const [name, one] of Object.entries(services)) {
    for (const source of mountsOf(name).values())
      if (source.startsWith('/')) assert.ok(statSync(source), source);
      else assert.ok(source in volumes, `${name}: ${source}`);
    for (const network of one.networks) assert.ok(network in networks, `${name}: ${network}`);
  }
});

test('Prometheus reads the rules of the chart, and the ports that the demo writes', (t) => {
  const [, config = ''] = /--config\.file=(\S+?),?( |$)/.exec([serviceOf('prometheus').command].flat().join(' ')) ?? [];
  const text = readFileSync(outside('prometheus', config), 'utf8');
  const { rule_files, scrape_configs } = z
    .looseObject({
      rule_files: z.tuple([z.string()]),
      scrape_configs: z.array(
        z.looseObject({
          job_name: z.string(),
          file_sd_configs: z.array(z.looseObject({ files: z.tuple([z.string()]) })).default([]),
        }),
      ),
    })
    .parse(parse(text));
  const rules = outside('prometheus', dirname(rule_files[0]));
  assert.equal(rules, alertFolder);
  assert.ok(yamlFiles(rules).length > 0 && rule_files[0].endsWith('/*.yaml'));

  const [written = ''] = scrape_configs.flatMap(({ file_sd_configs }) => file_sd_configs.flatMap(({ files }) => files));
  assert.ok([serviceOf('demo').command].flat().join(' ').includes(`--targets=${written} `), written);
  for (const name of ['demo', 'prometheus']) assert.equal(mountsOf(name).get(dirname(written)), 'targets', name);
  const [, port = ''] = /--metrics-port=(\d+)/.exec([serviceOf('edge-config').command].flat().join(' ')) ?? [];
  assert.ok(port !== '' && text.includes(`127.0.0.1:${port}`));
  // rtpengine's own numbers, which its relay passes on only where it knows where they are.
  assert.ok(
    [serviceOf('rtpengine').command]
      .flat()
      .includes(`--listen-http=${serviceOf('demo').environment['RTPENGINE_HTTP']}`),
  );

  const tool = findExecutable('promtool');
  if (tool === undefined) return t.diagnostic('promtool is not installed: the configuration is not checked with it');
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-compose-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'targets.json'), '[]');
  writeFileSync(
    join(folder, 'prometheus.yml'),
    text.replace(dirname(rule_files[0]), rules).replace(written, join(folder, 'targets.json')),
  );
  const { status, output } = promtool(tool, ['check', 'config', join(folder, 'prometheus.yml')]);
  assert.equal(status, 0, output);
  return undefined;
});

test('Grafana shows the dashboards of the chart to whoever looks, knows no user, and asks that Prometheus', () => {
  const { environment, networks: joined } = serviceOf('grafana');
  const provisioning = outside('grafana', environment['GF_PATHS_PROVISIONING'] ?? '');
  const yaml = (folder: string) =>
    yamlFiles(join(provisioning, folder)).map((path) => parse(readFileSync(path, 'utf8')) as unknown);
  const { providers } = z
    .object({ providers: z.tuple([z.looseObject({ options: z.object({ path: z.string() }) })]) })
    .parse(yaml('dashboards')[0]);
  assert.equal(outside('grafana', providers[0].options.path), dashboardFolder);
  const home = outside('grafana', environment['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '');
  assert.ok(readdirSync(dashboardFolder).some((name) => join(dashboardFolder, name) === home));

  const { datasources } = z
    .object({
      datasources: z.tuple([
        z.looseObject({ type: z.literal('prometheus'), url: z.url(), isDefault: z.literal(true) }),
      ]),
    })
    .parse(yaml('datasources')[0]);
  const { hostname, port } = new URL(datasources[0].url);
  const { network_mode, command } = serviceOf('prometheus');
  assert.equal(network_mode, `service:${hostname}`);
  assert.ok([command].flat().includes(`--web.listen-address=0.0.0.0:${port}`));
  const shared = serviceOf(hostname).networks;
  assert.ok(shared.every((name) => joined.includes(name) && networks[name]?.internal === true));

  assert.equal(environment['GF_AUTH_ANONYMOUS_ORG_ROLE'], 'Viewer');
  for (const name of ['GF_AUTH_ANONYMOUS_ENABLED', 'GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION'])
    assert.equal(environment[name], 'true', name);
  for (const [name, one] of Object.entries(services))
    for (const key of Object.keys(one.environment))
      assert.doesNotMatch(key, /PASSWORD|SECRET|TOKEN/, `${name}: ${key}`);
});
