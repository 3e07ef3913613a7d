// A whole deployment on a NATS whose users may do exactly what helm/sidestream/nats-permissions.yaml says, each service its own.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type LaboratoryConfig, listedSeller, ServiceProcess } from '@sidestream/cli';
import { eventually, type NatsPeer } from '@sidestream/peers';
import { issueNatsCredentials } from '@sidestream/pki';
import { IssuerSimulator } from '@sidestream/simulators';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { Dialer } from './gateway/dialer.js';
import { openBus, ownNats } from './nats-stage.js';
import { runCli } from './run-cli.js';
import { Stage } from './stage.js';

const readyMs = 30_000;
const audience = 'api://sidestream';
const users = ['signalling', 'media-relay', 'policy-sync', 'registration', 'gateway', 'cli'] as const;
type User = (typeof users)[number];

const may = z.strictObject({ publish: z.array(z.string()) });
const documented = z.strictObject({
  all: may.extend({ subscribe: z.array(z.string()) }),
  signalling: may,
  'media-relay': may,
  'policy-sync': may,
  registration: may,
  gateway: may,
  cli: may,
});
const file = new URL('../../../helm/sidestream/nats-permissions.yaml', import.meta.url);

/** A server with the documented users, and where their credentials are; the test is skipped where there is none. */
async function restrictedNats(
  t: TestContext,
): Promise<{ peer: NatsPeer; credentialsOf(user: User): string } | undefined> {
  const { all, ...own } = documented.parse(parse(readFileSync(file, 'utf8')));
  const of = (user: User) => ({ publish: [...all.publish, ...own[user].publish], subscribe: all.subscribe });
  const { serverConfig, credentials } = issueNatsCredentials({
    signalling: of('signalling'),
    'media-relay': of('media-relay'),
    'policy-sync': of('policy-sync'),
    registration: of('registration'),
    gateway: of('gateway'),
    cli: of('cli'),
  });
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-nats-users-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const credentialsOf = (user: User) => join(directory, `${user}.creds`);
  for (const user of users) writeFileSync(credentialsOf(user), credentials[user], { mode: 0o600 });
  writeFileSync(join(directory, 'server.conf'), serverConfig);
  const peer = await ownNats(t, { args: ['-c', join(directory, 'server.conf')] });
  return peer && { peer, credentialsOf };
}

/** What the server says of everything that it refused. */
const refusals = (peer: NatsPeer) =>
  peer
    .output()
    .split('\n')
    .filter((line) => line.includes('Violation'));

/** The services of a stage as processes, each with its own credentials as a cluster gives them. */
async function startServices(
  t: TestContext,
  configFile: string,
  credentialsOf: (user: User) => string,
): Promise<Map<string, ServiceProcess>> {
  const services = new Map<string, ServiceProcess>();
  const folder = dirname(configFile);
  const edgeSecret = join(folder, 'edge-secret');
  writeFileSync(edgeSecret, randomBytes(32).toString('hex'), { mode: 0o600 });
  const environment: Record<string, string> = { SIDESTREAM_EDGE_SECRET_FILE: edgeSecret };
  const start = (name: string, own: string) => {
    const service = new ServiceProcess({
      name,
      environment: { ...environment, SIDESTREAM_CONFIG: own },
      onLog: () => undefined,
    });
    services.set(name, service);
    t.after(() => service.stop(readyMs));
    return service;
  };
  const { addresses } = await start('sip-edge', configFile).ready(readyMs);
  environment['SIDESTREAM_EDGE'] = addresses['admin'] ?? '';
  for (const user of users)
    await (user === 'cli' ? undefined : start(user, configOf(configFile, user, credentialsOf)).listening(readyMs));
  await Promise.all([...services.values()].map((service) => service.ready(readyMs)));
  return services;
}

/** The same configuration with one user's credentials, beside it. */
function configOf(configFile: string, user: User, credentialsOf: (user: User) => string): string {
  const config: LaboratoryConfig = parse(readFileSync(configFile, 'utf8'));
  config.nats.credentialsFile = credentialsOf(user);
  const own = join(dirname(configFile), `${user}.yaml`);
  writeFileSync(own, stringify(config));
  return own;
}

test('with the documented permissions of NATS users a whole deployment works, and nothing of it is refused', async (t) => {
  const nats = await restrictedNats(t);
  if (!nats) return;
  const { peer, credentialsOf } = nats;
  const issuer = await IssuerSimulator.start({ audience });
  t.after(() => issuer.close());
  const stage = await Stage.start(t, {
    services: false,
    nats: false,
    provider: {},
    configure: (config) => {
      config.nats.servers = [peer.url];
      const { provider } = config.tenants['contoso'] ?? {};
      assert.ok(provider);
      provider.register = true;
      config.gateway = { issuers: [{ tenant: 'contoso', issuer: issuer.issuer, audience }] };
    },
  });
  if (!stage) return;
  const { configFile, recorder, provider } = stage.laboratory;
  const services = await startServices(t, configFile, credentialsOf).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${refusals(peer).join('\n')}`, { cause: error });
  });
  const addressOf = (name: string, key: string) => services.get(name)?.status?.addresses[key] ?? '';
  const metric = async (service: string, name: string) => {
    const text = await (await fetch(`${addressOf(service, 'management')}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  };

  const web = addressOf('gateway', 'http');
  const dialer = await Dialer.open(web, await issuer.mint({ oid: listedSeller.id }));
  const sip = addressOf('sip-edge', 'sip.udp').replace(/^\w+:(\/\/)?/, '');
  const call = await stage.inbound(listedSeller.number, `sip:${listedSeller.number}@${sip}`);
  await eventually(() => recorder.active === 1, 'the call is recorded, by the policy of the provider');
  await call.customer.hangUp();
  await eventually(
    async () => (await metric('signalling', 'sidestream_call_records_published_total')) === 1,
    'records',
  );
  for (const service of ['signalling', 'media-relay', 'policy-sync', 'registration'])
    await eventually(
      async () =>
        (await metric(service, 'sidestream_events_published_total')) > 0 &&
        (await metric(service, 'sidestream_events_waiting')) === 0,
      `${service} has told its events`,
    );
  // What a dialer and an operator have of the gateway: events, leases, records, and what it asks other services for.
  await eventually(() => dialer.events.length === 2, 'the dialer was told of start and end', readyMs);
  await dialer.close();
  const operator = await issuer.mint({ oid: 'olga', roles: ['Sidestream.Operator'] });
  const api = async (path: string) => {
    const headers = { authorization: `Bearer ${operator}` };
    const response = await fetch(`${web}/api/v1/${path}`, { headers, signal: AbortSignal.timeout(readyMs) });
    assert.equal(response.status, 200, path);
    return response.json();
  };
  const { records } = z.object({ records: z.array(z.object({ verdict: z.string() })) }).parse(await api('records'));
  assert.equal(records.length, 1);
  const { relays } = z.object({ relays: z.array(z.unknown()) }).parse(await api('relays'));
  assert.equal(relays.length, 1);
  for (const path of ['calls', 'recorders', 'policies', 'registrations']) await api(path);
  const cli = configOf(configFile, 'cli', credentialsOf);
  const run = async (...args: string[]) => {
    const { code, stderr } = await runCli([...args, '-c', cli], { timeoutMs: readyMs });
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  };
  // A tenant's snapshots have two places: the third one removes the first.
  for (const id of ['bob', 'cy']) {
    provider.setUsers([{ id }]);
    await run('policy', 'sync');
  }
  await run('policy', 'users');
  await run('register');
  await run('calls', 'list');
  await run('calls', 'list', '--ended');
  await run('doctor', '--only', 'nats,provider');
  for (const service of services.values()) await service.stop(readyMs);
  assert.deepEqual(refusals(peer), []);
});

test('a NATS user may not publish what is another’s, nor change what is kept', async (t) => {
  const nats = await restrictedNats(t);
  if (!nats) return;
  const { peer, credentialsOf } = nats;
  const sessionOf = (user: User) =>
    openBus(t, [peer.url], { credentialsFile: credentialsOf(user) }).whenConnected(AbortSignal.timeout(readyMs));
  const relay = await sessionOf('media-relay');
  await relay.jetstream.publish('events.media.up', 'its own');
  for (const subject of ['events.call.ended', 'records.contoso.c1', '$KV.leases.signalling.s1', '$KV.policies.contoso'])
    await assert.rejects(relay.jetstream.publish(subject, ''), /permissions violation/i, subject);
  const { streams } = await (await sessionOf('signalling')).jetstream.jetstreamManager();
  await assert.rejects(streams.delete('EVENTS'), /permissions violation/i);
  await assert.rejects(streams.purge('KV_leases'), /permissions violation/i);
  await eventually(() => refusals(peer).length === 6, 'the server tells of each');
});
