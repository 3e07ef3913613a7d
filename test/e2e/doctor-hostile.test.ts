// `sidestream doctor` among servers that mean no good: they take connections and are silent, send garbage, or never stop.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAuthority } from '@sidestream/pki';
import { z } from 'zod';
import { runCli } from './run-cli.js';

const host = '127.0.0.1';
const report = z.object({ checks: z.array(z.object({ name: z.string(), state: z.string(), what: z.string() })) });
/** Those that ask somebody. */
const asking = ['nats', 'rtpengine', 'edge', 'recorders', 'provider', 'trunks', 'issuers', 'collector'];

/** What a server does with a connection, after the first words that its protocol begins with. */
type Manner = (socket: Socket, opening: string) => void;

const silent: Manner = (socket) => void socket.resume();
const garbage: Manner = (socket) => {
  socket.resume();
  socket.write(randomBytes(4_096));
};
/** As long as the other side reads. */
const endless: Manner = (socket, opening) => {
  socket.resume();
  socket.write(opening);
  const chunk = Buffer.alloc(16_384, 'x');
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
};

const openings = {
  nats: 'INFO {"server_id":"',
  collector: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n',
  issuer: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n',
  edge: '999999#',
  target: 'SIP/2.0 200 OK\r\nVia: ',
  recorder: '\x16\x03\x03\x40\x00',
  provider: '\x16\x03\x03\x40\x00',
};

async function listen(t: TestContext, manner: Manner, opening: string): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    manner(socket, opening);
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** An ng port that answers each datagram with these, if any. */
async function listenUdp(t: TestContext, answers: readonly Buffer[]): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (_bytes, { port, address }) => {
    for (const answer of answers) socket.send(answer, port, address);
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket.address().port;
}

async function configuration(t: TestContext, manner: Manner, ngAnswers: readonly Buffer[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-doctor-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const authority = await createAuthority('Nobody');
  await (await authority.issue({ commonName: 'contoso', usages: 'client' })).writeFiles(folder, 'contoso');
  writeFileSync(join(folder, 'secret'), 'a-secret-that-is-told-to-nobody', { mode: 0o600 });
  writeFileSync(join(folder, 'headers'), 'Authorization: Bearer a-secret-that-is-told-to-nobody\n', { mode: 0o600 });
  writeFileSync(join(folder, 'policy.yaml'), 'users: []\n');
  const port = async (place: keyof typeof openings) => listen(t, manner, openings[place]);
  const provider = `https://localhost:${await port('provider')}`;
  const config = {
    nats: { servers: [`nats://${host}:${await port('nats')}`] },
    regions: { local: { recorders: [`sip:SRS@localhost:${await port('recorder')};transport=tls`] } },
    tenants: {
      contoso: {
        ...{ accountId: 'AC1', region: 'local', organizationId: 'ad3dca46-962a-4895-9f85-d25f3828781f' },
        recording: {
          identity: { certFile: 'contoso.crt', keyFile: 'contoso.key' },
          ...{ trustFile: 'ca.crt', notice: 'contract' },
        },
        policy: { source: 'file', file: 'policy.yaml' },
        provider: {
          ...{ entraTenantId: 'contoso.example', clientId: '11111111-1111-4111-8111-111111111111' },
          ...{ clientSecretFile: 'secret', authority: provider, apiBaseUrl: provider, trustFile: 'ca.crt' },
        },
      },
    },
    trunks: {
      pbx: {
        ...{ tenant: 'contoso', side: 'seller', keepalive: {}, routes: [{ to: 'pbx' }] },
        targets: [`sip:${host}:${await port('target')};transport=tcp`],
      },
    },
    signalling: { edge: `tcp://${host}:${await port('edge')}`, edgeSecretFile: 'secret' },
    mediaRelay: { rtpengine: { ng: `${host}:${await listenUdp(t, ngAnswers)}` } },
    telemetry: {
      traces: { endpoint: `http://${host}:${await port('collector')}/v1/traces`, headersFile: 'headers' },
    },
    gateway: {
      issuers: [{ tenant: 'contoso', issuer: `http://${host}:${await port('issuer')}`, audience: 'sidestream' }],
    },
  };
  const file = join(folder, 'sidestream.yaml');
  writeFileSync(file, JSON.stringify(config));
  return file;
}

for (const [how, manner, ngAnswers] of [
  ['take a connection and are silent', silent, []],
  ['answer with garbage', garbage, [randomBytes(64), Buffer.from('cookie d6:result4:ponge')]],
  ['never stop', endless, Array.from({ length: 64 }, () => Buffer.alloc(60_000, 'd'))],
] as const) {
  test(`servers that ${how} fail their checks within the deadline, and nothing else`, async (t) => {
    const file = await configuration(t, manner, ngAnswers);
    const run = await runCli(['doctor', '-c', file, '--json', '--timeout', '2s'], { timeoutMs: 60_000 });
    assert.equal(run.code, 1, run.stderr);
    const { checks } = report.parse(JSON.parse(run.stdout));
    const failed = checks.filter(({ state }) => state === 'fail');
    assert.deepEqual([...new Set(failed.map(({ name }) => name))], asking, run.stdout);
    assert.ok(!`${run.stdout}${run.stderr}`.includes('a-secret-that-is-told-to-nobody'));
  });
}
