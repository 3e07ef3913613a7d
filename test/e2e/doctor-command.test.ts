// `sidestream doctor` beside a running deployment: all is well; then one thing at a time is broken, and its check alone fails, by name.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LaboratoryConfig } from '@sidestream/cli';
import { eventually, findExecutable, freeTcpPort, freeUdpPort, requirePeer, startNats } from '@sidestream/peers';
import { type CertificateRequest, createAuthority } from '@sidestream/pki';
import { IssuerSimulator, parseProviderFault, RecorderSimulator } from '@sidestream/simulators';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { TraceCollector } from '../monitoring/trace-collector.js';
import { runCli } from './run-cli.js';
import { Stage } from './stage.js';

const host = '127.0.0.1';
/** Each question may take so long on a busy machine, which nothing here waits for. */
const patience = '20s';

const report = z.strictObject({
  ok: z.boolean(),
  config: z.string(),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['ok', 'warn', 'fail', 'skipped']),
      what: z.string(),
      where: z.string(),
      todo: z.string().optional(),
    }),
  ),
});
type Report = z.output<typeof report>;

/** One thing that is broken. */
interface Fault {
  readonly what: string;
  readonly fails: string;
  readonly says: RegExp;
  /** Breaks it in this copy of the configuration, or outside; resolves with what mends it again. */
  breaks(config: LaboratoryConfig, t: TestContext): unknown;
}

async function doctor(file: string, ...args: string[]): Promise<{ code: number | null; report: Report; all: string }> {
  const run = await runCli(['doctor', '-c', file, '--timeout', patience, '--json', ...args], { timeoutMs: 120_000 });
  return { code: run.code, report: report.parse(JSON.parse(run.stdout)), all: `${run.stdout}${run.stderr}` };
}

/** What a fault that can't be made here resolves with. */
const skip = Symbol('skip');

/** Names of the checks with a finding of this state. */
function named({ checks }: Report, state: string): string[] {
  return [...new Set(checks.filter((check) => check.state === state).map(({ name }) => name))];
}

test('beside a running deployment nothing fails; whatever is broken fails by its own check alone', async (t) => {
  const issuer = await IssuerSimulator.start({ audience: 'sidestream' });
  t.after(() => issuer.close());
  const policySync = `${host}:${await freeTcpPort(host)}`;
  const { endpoint } = await TraceCollector.start(t);
  const stage = await Stage.start(t, {
    provider: {},
    configure: (config) => {
      const [carrier, pbx] = [config.trunks['carrier'], config.trunks['pbx']];
      assert.ok(carrier && pbx);
      carrier.keepalive = {};
      pbx.keepalive = {};
      config.policySync = { listen: policySync };
      config.telemetry = { traces: { endpoint } };
      config.gateway = { issuers: [{ tenant: 'contoso', issuer: issuer.issuer, audience: issuer.audience }] };
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  const folder = dirname(laboratory.configFile);
  const at = (name: string) => join(folder, name);
  const issue = async (name: string, request: Partial<CertificateRequest>) =>
    (await laboratory.authority.issue({ commonName: name, ...request })).writeFiles(folder, name);
  const recorder = async (t: TestContext, certificate: string, trustFile: string) => {
    const tls = { certFile: at(`${certificate}.crt`), keyFile: at(`${certificate}.key`), trustFile };
    const one = await RecorderSimulator.start({ tls });
    t.after(() => one.close());
    return { local: { recorders: [`sip:SRS@localhost:${one.address.port};transport=tls`] } };
  };
  const stranger = await createAuthority('Stranger');
  writeFileSync(at('stranger.crt'), stranger.certificate);
  const yesterday = new Date(Date.now() - 24 * 3_600_000);
  const contoso = (config: LaboratoryConfig) => {
    const tenant = config.tenants['contoso'];
    assert.ok(tenant);
    return tenant;
  };

  const faults: Fault[] = [
    {
      what: "the tenant's certificate has expired",
      fails: 'certificates',
      says: /tenants\.contoso\.recording\.identity: the certificate expired on \d{4}-/,
      breaks: async (config) => {
        await issue('expired', { usages: 'client', notAfter: yesterday });
        contoso(config).recording.identity = { certFile: 'expired.crt', keyFile: 'expired.key' };
      },
    },
    {
      what: 'a key of another certificate',
      fails: 'certificates',
      says: /tenants\.contoso\.recording\.identity: the private key does not belong to the certificate/,
      breaks: (config) => {
        contoso(config).recording.identity = { certFile: 'contoso.crt', keyFile: 'recorder.key' };
      },
    },
    {
      what: "the recorder's certificate has expired",
      fails: 'recorders',
      says: /localhost:\d+ \(tenant contoso\): .*certificate expired/,
      breaks: async (config, t) => {
        await issue('old-recorder', { usages: 'server', dnsNames: ['localhost'], notAfter: yesterday });
        config.regions = await recorder(t, 'old-recorder', at('ca.crt'));
      },
    },
    {
      what: "the recorder's certificate is for another host",
      fails: 'recorders',
      says: /certificate for another name/,
      breaks: async (config, t) => {
        await issue('other-recorder', { usages: 'server', dnsNames: ['recorder.example'] });
        config.regions = await recorder(t, 'other-recorder', at('ca.crt'));
      },
    },
    {
      what: 'a wrong authority is trusted',
      fails: 'recorders',
      says: /certificate from an authority that is not trusted/,
      breaks: (config) => {
        contoso(config).recording.trustFile = 'stranger.crt';
      },
    },
    {
      what: 'the recorder refuses our certificate without a word',
      fails: 'recorders',
      says: /ends the connection right after the TLS handshake.*most likely it refuses our certificate/,
      breaks: async (config, t) => {
        config.regions = await recorder(t, 'recorder', at('stranger.crt'));
      },
    },
    {
      what: 'the recorder refuses our certificate by an alert',
      fails: 'recorders',
      says: /the peer does not trust our certificate/,
      breaks: async (config, t) => {
        if (findExecutable('openssl') === undefined) {
          t.skip('openssl is not installed');
          return skip;
        }
        const port = await freeTcpPort(host);
        const files = ['-cert', at('recorder.crt'), '-key', at('recorder.key'), '-CAfile', at('stranger.crt')];
        const verify = ['-Verify', '1', '-verify_return_error'];
        const server = spawn('openssl', ['s_server', '-accept', `${host}:${port}`, ...files, ...verify, '-quiet']);
        t.after(() => server.kill('SIGKILL'));
        await eventually(() => answersTcp(port), 'openssl listens');
        config.regions = { local: { recorders: [`sip:SRS@localhost:${port};transport=tls`] } };
        return undefined;
      },
    },
    {
      what: 'the recorder is not there',
      fails: 'recorders',
      says: /ECONNREFUSED/,
      breaks: async (config) => {
        config.regions = { local: { recorders: [`sip:SRS@localhost:${await freeTcpPort(host)};transport=tls`] } };
      },
    },
    {
      what: "the recorder's name does not exist",
      fails: 'dns',
      says: /no-such-recorder\.invalid .*(ENOTFOUND|EAI_AGAIN)/,
      breaks: (config) => {
        config.regions = { local: { recorders: ['sip:SRS@no-such-recorder.invalid:5061;transport=tls'] } };
      },
    },
    {
      what: 'NATS is dead',
      fails: 'nats',
      says: /nats\.servers\.0: .*(refused|CONNECTION)/i,
      breaks: async (config) => {
        config.nats.servers = [`nats://${host}:${await freeTcpPort(host)}`];
      },
    },
    {
      what: 'NATS has no JetStream',
      fails: 'nats',
      says: /has no JetStream for us/,
      breaks: async (config, t) => {
        const peer = requirePeer(await startNats());
        t.after(() => peer.stop());
        config.nats.servers = [peer.url];
      },
    },
    {
      what: 'rtpengine is absent',
      fails: 'rtpengine',
      says: /nothing listens at 127\.0\.0\.1:\d+/,
      breaks: async (config) => {
        config.mediaRelay.rtpengine.ng = `${host}:${await freeUdpPort(host)}`;
      },
    },
    {
      what: 'a port is taken by somebody else',
      fails: 'ports',
      says: /registration\.listen tcp:\d+: is held by \S+ \(pid \d+\), which is none of ours/,
      breaks: async (config, t) => {
        const server = createServer();
        await new Promise<void>((listening) => server.listen(0, host, listening));
        t.after(() => server.close());
        const address = server.address();
        assert.ok(typeof address === 'object' && address !== null);
        config.registration = { listen: `${host}:${address.port}` };
      },
    },
    {
      what: 'an address is on no interface',
      fails: 'addresses',
      says: /mediaRelay\.listen: 192\.0\.2\.77 is on no interface of this machine/,
      breaks: (config) => {
        config.mediaRelay.listen = '192.0.2.77:4000';
      },
    },
    {
      what: 'the provider refuses the token',
      fails: 'provider',
      says: /answers 401: it refuses a fresh token/,
      breaks: (_config, t) => {
        laboratory.provider.fault = parseProviderFault('status=401');
        t.after(() => {
          laboratory.provider.fault = {};
        });
      },
    },
    {
      what: 'the client secret is wrong',
      fails: 'provider',
      says: /the client secret is wrong/,
      breaks: (config) => {
        const { provider } = contoso(config);
        assert.ok(provider);
        writeFileSync(at('wrong-secret'), 'not-the-secret', { mode: 0o600 });
        provider.clientSecretFile = 'wrong-secret';
      },
    },
    {
      what: 'the clock is an hour off',
      fails: 'clock',
      says: /this clock is 3[56]\d\d s (ahead|behind)/,
      breaks: (_config, t) => {
        laboratory.provider.fault = parseProviderFault('clock-skew=3600');
        t.after(() => {
          laboratory.provider.fault = {};
        });
      },
    },
    {
      what: "the edge does not take signalling's secret",
      fails: 'edge',
      says: /signalling\.edge: it refuses our secret/,
      breaks: (config) => {
        const { listen: _, ...signalling } = config.signalling;
        writeFileSync(at('wrong-edge-secret'), 'no', { mode: 0o600 });
        const edge = laboratory.deployment.status.addresses['sip-edge.admin'];
        assert.ok(edge);
        config.signalling = { ...signalling, edge, edgeSecretFile: 'wrong-edge-secret' };
      },
    },
    {
      what: 'a target of a trunk does not answer',
      fails: 'trunks',
      says: /trunks\.carrier\.targets\.0 sip:127\.0\.0\.1:\d+;transport=tcp: .*ECONNREFUSED/,
      breaks: async (config) => {
        const carrier = config.trunks['carrier'];
        assert.ok(carrier);
        carrier.targets = [`sip:${host}:${await freeTcpPort(host)};transport=tcp`];
      },
    },
    {
      what: 'the issuer of tokens is down',
      fails: 'issuers',
      says: /gateway\.issuers\.0: .*answers 503/,
      breaks: (_config, t) => {
        issuer.available = false;
        t.after(() => {
          issuer.available = true;
        });
      },
    },
  ];

  await t.test('nothing fails, and a held port is known to be our own', async () => {
    const { code, report: found, all } = await doctor(laboratory.configFile);
    assert.deepEqual(named(found, 'fail'), [], all);
    assert.deepEqual([code, found.ok], [0, true]);
    const whats = found.checks.map(({ name, where, what }) => `${name} ${where}: ${what}`).join('\n');
    assert.match(whats, /^ports policySync\.listen tcp:\d+: is held by our own policy-sync \(pid \d+\)$/m);
    assert.match(whats, /^rtpengine .*forks both voices as RTP\/SAVP, AES_CM_128_HMAC_SHA1_80$/m);
    assert.match(
      whats,
      /^recorders localhost:\d+ \(tenant contoso\): TLSv1\.3 as CN=recorder in \d+ ms, OPTIONS 200 OK/m,
    );
    assert.match(whats, /^provider tenants\.contoso\.provider: token and API answer in \d+ ms: 1 user$/m);
    assert.match(whats, /^provider tenants\.contoso\.provider\.register: registered since /m);
    assert.match(whats, /^issuers gateway\.issuers\.0: 1 key at /m);
    assert.match(whats, /^collector telemetry\.traces\.endpoint: http:\S+ takes traces, in \d+ ms$/m);
    assert.equal(found.checks.filter(({ name, state }) => name === 'trunks' && state === 'ok').length, 2);
    for (const secret of secretsIn(folder)) assert.ok(!all.includes(secret), 'no secret is printed');
  });

  for (const [index, { what, fails, says, breaks }] of faults.entries()) {
    await t.test(`${what}: ${fails}`, async (t) => {
      const config: LaboratoryConfig = parse(readFileSync(laboratory.configFile, 'utf8'));
      if ((await breaks(config, t)) === skip) return;
      const file = at(`broken-${index}.yaml`);
      writeFileSync(file, stringify(config));
      const { code, report: found, all } = await doctor(file);
      assert.deepEqual(named(found, 'fail'), [fails], all);
      assert.equal(code, 1);
      const failed = found.checks.filter(({ state }) => state === 'fail');
      assert.match(failed.map((one) => `${one.where}: ${one.what}`).join('\n'), says);
      for (const { todo } of failed) assert.ok(todo !== undefined && todo.length > 10, 'it says what to do');
      for (const secret of secretsIn(folder)) assert.ok(!all.includes(secret), 'no secret is printed');
    });
  }
});

function answersTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Lines of keys and secrets of a laboratory. */
function secretsIn(folder: string): string[] {
  const files = ['contoso.key', 'cli.key', 'recorder.key', 'provider-secret'];
  return files.flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => line.length > 10 && !line.startsWith('-----')),
  );
}

test('a wrong configuration is 2 with all its problems; so are an unknown check, tenant and time', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-doctor-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'sidestream.yaml');
  writeFileSync(file, 'nats: { servers: [http://127.0.0.1] }\nregions: {}\ntenants: {}\ntrunks: {}\nsignalling: {}\n');
  const run = await runCli(['doctor', '-c', file], { timeoutMs: 60_000 });
  assert.equal(run.code, 2);
  assert.match(run.stdout, /FAIL +config +nats\.servers\.0: must be nats:/);
  assert.match(run.stdout, /FAIL +config +mediaRelay: /);
  for (const wrong of [['--only', 'nats,horoscope'], ['--timeout', 'soon'], ['--wrong']]) {
    const { code, stdout, stderr } = await runCli(['doctor', '-c', file, ...wrong], { timeoutMs: 60_000 });
    assert.deepEqual([code, stdout], [2, '']);
    assert.notEqual(stderr, '');
  }
});
