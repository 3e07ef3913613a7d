// `sidestream up` as an operator meets it: wrong configurations, the ready line, a clean stop.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { ServiceProcess } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { childrenOf, isRunning, runCli, spawnCli } from './run-cli.js';
import { Stage } from './stage.js';

test('a configuration with three errors prints all three with their paths and exits 2', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-up-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'sidestream.yaml');
  writeFileSync(
    file,
    `nats: { servers: [http://127.0.0.1] }
regions: {}
tenants: {}
trunks: { carrier: { tenant: nobody, side: customer, peers: [127.0.0.2], routes: [{ to: carrier }] } }
signalling: {}
mediaRelay: { rtpengine: { ng: 127.0.0.1:22222 }, portMin: 1 }
`,
  );
  const run = await runCli(['up', '--config', file], { timeoutMs: 20_000 });
  assert.equal(run.code, 2);
  assert.equal(run.stdout, '');
  assert.match(run.stderr, /nats\.servers\.0: must be nats:\/\/host:port/);
  assert.match(run.stderr, /trunks\.carrier\.tenant: no tenant 'nobody'/);
  assert.match(run.stderr, /mediaRelay\.portMin: unknown key/);
});

test('a configuration that is not there is one clear error, exit code 2', async () => {
  const run = await runCli(['up', '--config', '/nonexistent/sidestream.yaml'], { timeoutMs: 20_000 });
  assert.equal(run.code, 2);
  assert.match(run.stderr, /sidestream\.yaml.*\n.*can't be read/);
});

test('an unknown command and a missing option are told, with a hint where help is', async () => {
  for (const args of [['fly'], ['up']]) {
    const run = await runCli(args, { timeoutMs: 20_000 });
    assert.equal(run.code, 2);
    assert.match(run.stderr, /--help/);
  }
});

const statusLine = z.object({ ready: z.boolean(), addresses: z.record(z.string(), z.string()) });

/** `sidestream up`, once it has said that it is ready. */
interface RunningUp {
  readonly child: ReturnType<typeof spawnCli>;
  readonly addresses: Record<string, string>;
  /** Pids of its services. */
  readonly services: readonly number[];
  stderr(): string;
}

async function startUp(t: TestContext, configFile: string): Promise<RunningUp> {
  const child = spawnCli(['up', '--config', configFile]);
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text;
  });
  const lines: z.output<typeof statusLine>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(statusLine.parse(JSON.parse(line))));
  await eventually(() => lines.at(-1)?.ready === true, 'the ready line', 20_000);
  assert.ok(child.pid);
  return { child, addresses: lines.at(-1)?.addresses ?? {}, services: childrenOf(child.pid), stderr: () => stderr };
}

/** An address of a ready line as `host:port`. */
function hostPort(address: string | undefined): string {
  assert.ok(address);
  return address.replace(/^\w+:(\/\/)?/, '');
}

test('up says ready with its addresses, takes calls, and stops cleanly on SIGTERM with all its processes', async (t) => {
  const stage = await Stage.start(t, { services: false });
  if (!stage) return;
  const { child, addresses, services } = await startUp(t, stage.laboratory.configFile);
  const uri = `sip:+493012345001@${hostPort(addresses['sip-edge.sip.udp'])}`;
  const call = await stage.customer.call(uri, { answerTimeoutMs: 10_000 });
  await call.answered;
  await call.hangUp();
  assert.equal(services.length, 3);
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.deepEqual(services.filter(isRunning), []);
});

test('a service that dies ends up: exit code 1, the reason on stderr, no process is left', async (t) => {
  const stage = await Stage.start(t, { services: false });
  if (!stage) return;
  const { child, services, stderr } = await startUp(t, stage.laboratory.configFile);
  const [, second] = services;
  assert.ok(second);
  process.kill(second, 'SIGKILL');
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.match(stderr(), /ended: signal SIGKILL/);
  assert.deepEqual(services.filter(isRunning), []);
});

test('no service outlives up, even when it is killed', async (t) => {
  const stage = await Stage.start(t, { services: false });
  if (!stage) return;
  const { child, services } = await startUp(t, stage.laboratory.configFile);
  assert.equal(services.length, 3);
  child.kill('SIGKILL');
  await eventually(() => !services.some(isRunning), 'the services have ended', 20_000);
});

test('edge: tcp://… uses an edge that runs already, with its secret', async (t) => {
  const stage = await Stage.start(t, { services: false });
  if (!stage) return;
  const directory = dirname(stage.laboratory.configFile);
  const secretFile = join(directory, 'edge-secret');
  writeFileSync(secretFile, 'an edge secret of sufficient length');
  const edge = new ServiceProcess({
    name: 'sip-edge',
    environment: { SIDESTREAM_CONFIG: stage.laboratory.configFile, SIDESTREAM_EDGE_SECRET_FILE: secretFile },
    onLog: () => undefined,
  });
  t.after(() => edge.stop(5_000));
  const { addresses } = await edge.ready(10_000);
  const admin = addresses['admin'];
  assert.ok(admin);

  const config: { signalling: object } = parse(readFileSync(stage.laboratory.configFile, 'utf8'));
  const configFile = join(directory, 'external-edge.yaml');
  // What the edge listens on stands in its own configuration.
  const signalling = { ...config.signalling, listen: undefined, edge: admin, edgeSecretFile: 'edge-secret' };
  writeFileSync(configFile, stringify({ ...config, signalling }));
  const { child } = await startUp(t, configFile);
  const call = await stage.customer.call(`sip:+493012345001@${hostPort(addresses['sip.udp'])}`, {
    answerTimeoutMs: 10_000,
  });
  await call.answered;
  await call.hangUp();
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
});
