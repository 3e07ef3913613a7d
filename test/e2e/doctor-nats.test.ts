// What `sidestream doctor` sees of NATS, which it leaves as it is.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { issueNatsCredentials, type NatsPermissions } from '@sidestream/pki';
import { z } from 'zod';
import { nats, openBus, ownNats } from './nats-stage.js';
import { runCli } from './run-cli.js';

const report = z.object({
  checks: z.array(z.object({ name: z.string(), state: z.string(), what: z.string(), todo: z.string().optional() })),
});

/** The lines of check `nats`, each with its state before it. */
async function natsLines(t: TestContext, url: string, credentials?: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-doctor-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  if (credentials !== undefined) writeFileSync(join(folder, 'creds'), credentials, { mode: 0o600 });
  const config = {
    nats: { servers: [url], ...(credentials !== undefined && { credentialsFile: 'creds' }) },
    ...{ regions: {}, tenants: {}, trunks: {}, signalling: {} },
    mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
  };
  const file = join(folder, 'sidestream.yaml');
  writeFileSync(file, JSON.stringify(config));
  const args = ['doctor', '-c', file, '--only', 'nats', '--json', '--timeout', '20s'];
  const { stdout, stderr } = await runCli(args, { timeoutMs: 60_000 });
  const { checks } = report.parse(JSON.parse(stdout));
  assert.ok(checks.every(({ name }) => name === 'nats'));
  if (credentials !== undefined)
    assert.ok(!`${stdout}${stderr}`.includes(/SU[A-Z2-7]{50,}/.exec(credentials)?.[0] ?? '-'));
  return checks.map(({ state, what }) => `${state} ${what}`);
}

test('nothing is made in an empty NATS: what will be is told', async (t) => {
  const peer = await nats(t);
  if (!peer) return;
  const lines = await natsLines(t, peer.url);
  assert.match(lines[0] ?? '', /^(ok|warn) nats-server \d+\.\d+\.\d+ at /);
  const made =
    'EVENTS, RECORDS, KV_leases, KV_policies, KV_registrations, KV_recordings will be made at the first start';
  assert.deepEqual(lines.slice(1), [`ok JetStream holds 0 MiB; ${made}`]);
  const again = await natsLines(t, peer.url);
  assert.deepEqual(again.slice(1), lines.slice(1), 'nothing was made by looking');
});

test('a stream that is not as ours is a warning that says in what', async (t) => {
  const peer = await nats(t);
  if (!peer) return;
  const { jetstream } = await openBus(t, [peer.url]).whenConnected(AbortSignal.timeout(20_000));
  const manager = await jetstream.jetstreamManager();
  await manager.streams.update('KV_leases', { max_age: 9_000_000_000 });
  const lines = await natsLines(t, peer.url);
  assert.deepEqual(lines.slice(1), [
    'ok JetStream holds 0 MiB; RECORDS will be made at the first start',
    'warn KV_leases is not as we would make it: max_age is 9000000000, not 6000000000',
  ]);
});

test('what our user may not do is told by its subject; credentials of nobody are refused', async (t) => {
  const info = (...names: string[]) => names.map((name) => `$JS.API.STREAM.INFO.${name}`);
  const least = ['$JS.API.INFO', ...info('KV_leases', 'KV_policies', 'KV_registrations', 'KV_recordings')];
  const users: Record<'few' | 'least', NatsPermissions> = {
    few: { publish: [...least, ...info('EVENTS')], subscribe: ['_INBOX.>'] },
    least: { publish: least, subscribe: ['_INBOX.>'] },
  };
  const { serverConfig, credentials } = issueNatsCredentials(users);
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-nats-users-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'server.conf'), serverConfig);
  const peer = await ownNats(t, { args: ['-c', join(folder, 'server.conf')] });
  if (!peer) return;
  const refusals = (lines: readonly string[]) => lines.filter((line) => line.includes('may not'));
  assert.deepEqual(refusals(await natsLines(t, peer.url, credentials.few)), [
    'warn our user may not ask for RECORDS ($JS.API.STREAM.INFO.RECORDS)',
  ]);
  assert.deepEqual(refusals(await natsLines(t, peer.url, credentials.least)), [
    'fail our user may not ask for EVENTS ($JS.API.STREAM.INFO.EVENTS)',
    'warn our user may not ask for RECORDS ($JS.API.STREAM.INFO.RECORDS)',
  ]);
  const [stranger] = await natsLines(t, peer.url, issueNatsCredentials(users).credentials.few);
  assert.match(stranger ?? '', /^fail .*authorization/i);
});
