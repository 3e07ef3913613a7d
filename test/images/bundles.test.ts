// What goes into the images runs on Node alone: a whole deployment starts from an empty folder, its threads included.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { customerHost, Laboratory, listedSeller, sellerHost } from '@sidestream/cli';
import { freeUdpPort } from '@sidestream/peers';
import { readConfig } from '@sidestream/service';
import { RecorderStatus } from '@sidestream/simulators';
import { stringify } from 'yaml';
import { z } from 'zod';

const bundler = fileURLToPath(new URL('../../../tools/bundle.mjs', import.meta.url));
const deadlineMs = 120_000;
const statusLine = z.object({ ready: z.boolean(), addresses: z.record(z.string(), z.string()) });

let directory: string;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sidestream-bundles-'));
  const child = spawn(process.execPath, [bundler, '--out', directory, 'cli'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => {
    errors += text;
  });
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(deadlineMs) });
  assert.equal(code, 0, errors);
});

after(() => rmSync(directory, { recursive: true, force: true }));

const inCli = (...names: string[]) => join(directory, 'cli', ...names);

const services = () => readdirSync(inCli('node_modules', '@sidestream')).sort();

function run(file: string, args: readonly string[], environment: Record<string, string> = {}) {
  // Nothing of this repository may help: neither its folder nor what its environment names.
  return spawnSync(process.execPath, [file, ...args], {
    cwd: directory,
    env: environment,
    encoding: 'utf8',
    timeout: deadlineMs,
  });
}

test('each service without a configuration says what it misses, and exits 2', () => {
  assert.deepEqual(services(), ['gateway', 'media-relay', 'policy-sync', 'registration', 'signalling', 'sip-edge']);
  for (const service of services()) {
    const { status, stderr } = run(inCli('node_modules', '@sidestream', service, 'dist', 'main.js'), []);
    assert.equal(status, 2, `${service}: ${stderr}`);
    assert.match(stderr, /SIDESTREAM_CONFIG: names no sidestream\.yaml/);
  }
});

test('the command line shows its help, by its name in the image as well, for which Node is where the image has it', () => {
  for (const file of [inCli('dist', 'main.js'), inCli('bin', 'sidestream')]) {
    const { status, stdout } = run(file, ['--help']);
    assert.equal(status, 0, file);
    assert.match(stdout, /Usage: sidestream/);
  }
  assert.match(readFileSync(inCli('bin', 'sidestream'), 'utf8'), /^#!\/nodejs\/bin\/node\n/);
  assert.equal(statSync(inCli('bin', 'sidestream')).mode & 0o777, 0o755);
});

test('each bundle says of which packages it is made, as they are locked', () => {
  const component = z.object({ name: z.string(), version: z.string(), purl: z.string() });
  const bill = z.object({ bomFormat: z.literal('CycloneDX'), components: z.array(component).min(5) });
  const lock = z
    .object({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) })
    .parse(JSON.parse(readFileSync(fileURLToPath(new URL('../../../package-lock.json', import.meta.url)), 'utf8')));
  const locked = new Set(
    Object.entries(lock.packages).map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`),
  );
  for (const folder of ['.', ...services().map((name) => join('node_modules', '@sidestream', name))]) {
    const { components } = bill.parse(JSON.parse(readFileSync(inCli(folder, 'sbom.cdx.json'), 'utf8')));
    assert.equal(new Set(components.map(({ purl }) => purl)).size, components.length);
    for (const { name, version, purl } of components) {
      assert.equal(purl, `pkg:npm/${name.replace('@', '%40')}@${version}`);
      if (!name.startsWith('@sidestream/')) assert.ok(locked.has(`${name}@${version}`), `${folder}: ${purl}`);
    }
    if (folder.endsWith('signalling')) assert.ok(components.some(({ name }) => name === 'drachtio-srf'));
  }
});

test('a whole deployment runs from bundles: live, ready, policies read in threads, a test call recorded, stopped as told', async (t) => {
  // Large enough that signalling reads it in a thread; policy-sync has its thread for the other tenant.
  const policy = join(directory, 'large-policy.yaml');
  const users = Array.from({ length: 500 }, (_, i) => ({ id: `user-${i}`, numbers: [`+4930${1_000_000 + i}`] }));
  writeFileSync(policy, stringify({ users }));
  const answer = `${sellerHost}:${await freeUdpPort(sellerHost)}`;
  const laboratory = await Laboratory.start({
    customerTarget: `${customerHost}:5060`,
    sellerTarget: answer,
    provider: {},
    services: false,
    configure: (config) => {
      const { tenants } = config;
      const issuer = { tenant: 'contoso', issuer: 'https://login.example/contoso', audience: 'api://sidestream' };
      config.gateway = {
        issuers: [issuer],
        console: { authority: issuer.issuer, clientId: 'console', scope: 'openid' },
      };
      const { contoso } = tenants;
      assert.ok(contoso);
      const { provider: _, ...file } = contoso;
      tenants['fabrikam'] = { ...file, policy: { source: 'file', file: policy } };
    },
  });
  t.after(() => laboratory.stop());
  readConfig(laboratory.configFile);
  const up = spawn(process.execPath, [inCli('dist', 'main.js'), 'up', '-c', laboratory.configFile], {
    cwd: directory,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(up, 'close');
  t.after(() => up.kill('SIGKILL'));
  let log = '';
  up.stderr.on('data', (text: Buffer) => {
    log += text;
  });
  const addresses = await readyAddresses(up, () => log);
  for (const service of services()) {
    for (const path of ['livez', 'readyz']) {
      const answer = await fetch(`${addresses[`${service}.management`]}/${path}`, {
        signal: AbortSignal.timeout(deadlineMs),
      });
      assert.equal(answer.status, 200, `${service} /${path}: ${await answer.text()}`);
    }
  }
  const applied = log.split('\n').filter((line) => line.includes('a policy is applied'));
  for (const tenant of ['contoso', 'fabrikam'])
    assert.ok(
      applied.some((line) => line.includes(`"tenant":"${tenant}"`)),
      `${tenant}: ${applied.join('\n')}`,
    );
  // The console's pages are part of the gateway's bundle, the test call's voices of the command line's.
  const page = await fetch(`${addresses['gateway.http']}/`, { signal: AbortSignal.timeout(deadlineMs) });
  assert.match(await page.text(), /<script/);
  const status = await RecorderStatus.start(laboratory.recorder);
  t.after(() => status.close());
  const sip = (addresses['sip-edge.sip.udp'] ?? '').replace(/^\w+:(\/\/)?/, '');
  const ways = ['--listen', customerHost, '--answer', `udp:${answer}`, '--recorder-status', status.origin];
  // Not run(): the recorder is in this process, which must not stand still.
  const call = spawn(
    process.execPath,
    [inCli('dist', 'main.js'), 'test-call', `sip:${listedSeller.number}@${sip}`, ...ways],
    {
      cwd: directory,
      env: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let told = '';
  call.stdout.on('data', (text: Buffer) => {
    told += text;
  });
  const [code] = await once(call, 'close', { signal: AbortSignal.timeout(deadlineMs) });
  assert.equal(code, 0, told);
  assert.match(told, /PASSED/);
  up.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], log);
  assert.ok(!existsSync(join(directory, 'state')), 'nothing is left where it was started');
});

async function readyAddresses(child: ReturnType<typeof spawn>, log: () => string): Promise<Record<string, string>> {
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout });
  const late = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  try {
    for await (const line of lines) {
      const status = statusLine.parse(JSON.parse(line));
      if (status.ready) return status.addresses;
    }
  } finally {
    clearTimeout(late);
  }
  throw new Error(`never ready:\n${log()}`);
}
