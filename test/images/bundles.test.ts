// What goes into the images runs on Node alone: a whole deployment starts from an empty folder, its threads included.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Laboratory } from '@sidestream/cli';
import { readConfig } from '@sidestream/service';
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
  const services = readdirSync(inCli('node_modules', '@sidestream'));
  assert.ok(services.length >= 5, services.join(', '));
  for (const service of services) {
    const { status, stderr } = run(inCli('node_modules', '@sidestream', service, 'dist', 'main.js'), []);
    assert.equal(status, 2, `${service}: ${stderr}`);
    assert.match(stderr, /SIDESTREAM_CONFIG: names no sidestream\.yaml/);
  }
});

test('the command line shows its help', () => {
  const { status, stdout } = run(inCli('dist', 'main.js'), ['--help']);
  assert.equal(status, 0);
  assert.match(stdout, /Usage: sidestream/);
});

test('a bundle says of which packages it is made', () => {
  const components = z.object({ components: z.array(z.object({ purl: z.string() })) });
  const file = inCli('node_modules', '@sidestream', 'signalling', 'sbom.cdx.json');
  const purls = components.parse(JSON.parse(readFileSync(file, 'utf8'))).components.map(({ purl }) => purl);
  assert.ok(purls.some((purl) => purl.startsWith('pkg:npm/drachtio-srf@')));
  assert.ok(purls.some((purl) => purl.startsWith('pkg:npm/%40grpc/grpc-js@')));
  assert.equal(new Set(purls).size, purls.length);
});

test('a whole deployment runs from bundles: live, ready, policies read in threads, stopped as told', async (t) => {
  // Large enough that signalling reads it in a thread; policy-sync has its thread for the other tenant.
  const policy = join(directory, 'large-policy.yaml');
  const users = Array.from({ length: 500 }, (_, i) => ({ id: `user-${i}`, numbers: [`+4930${1_000_000 + i}`] }));
  writeFileSync(policy, stringify({ users }));
  const laboratory = await Laboratory.start({
    customerTarget: '127.0.0.2:5060',
    sellerTarget: '127.0.0.3:5060',
    provider: {},
    services: false,
    configure: ({ tenants }) => {
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
  for (const service of ['sip-edge', 'media-relay', 'registration', 'policy-sync', 'signalling']) {
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
