import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { access, readlink, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';
import { startNats } from './nats.js';
import { PeerError } from './peer.js';
import { ephemeralStart, mediaPortRange } from './ports.js';
import { probeDrachtio, probeNats, probeNg } from './probes.js';
import { startPrometheus } from './prometheus.js';
import { startRtpengine } from './rtpengine.js';

const run = promisify(execFile);
const soon = () => AbortSignal.timeout(2_000);

/** Runs a body that may start NATS or rtpengine in a process with exactly this environment and returns what it prints. */
async function inEnvironment(environment: Record<string, string>, body: string): Promise<string> {
  const index = JSON.stringify(new URL('./index.js', import.meta.url).href);
  const script = `import { startNats, startRtpengine } from ${index}; ${body}`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: '/usr/sbin:/usr/bin:/bin', SIDESTREAM_PEERS: 'binaries', ...environment },
    timeout: 20_000,
  });
  return stdout.trim();
}

test('NATS is found or started, answers, and is gone with its directory after stop', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (peer === undefined) return t.skip(reason);
  await probeNats(peer, soon());
  if (peer.how !== 'binary') return t.diagnostic(`NATS by ${peer.how}`);
  const directory = await readlink(`/proc/${peer.pid}/cwd`);
  assert.match(directory, /sidestream-nats-/);
  await Promise.all([peer.stop(), peer.stop()]);
  await assert.rejects(probeNats(peer, soon()));
  await assert.rejects(access(directory), { code: 'ENOENT' });
});

test('a killed NATS can be started again at the same port', async (t) => {
  const { peer, reason } = await startNats();
  if (peer === undefined) return t.skip(reason);
  if (peer.how === 'environment') return t.skip('NATS of the environment is not killed');
  await peer.kill('SIGKILL');
  await peer.stop();
  const again = await startNats({ port: peer.port });
  assert.equal(again.peer?.port, peer.port);
  await again.peer?.stop();
});

test('a peer that hangs (SIGSTOP) is ended all the same', async (t) => {
  const { peer, reason } = await startNats();
  if (peer === undefined) return t.skip(reason);
  if (peer.how !== 'binary') return t.skip(`NATS by ${peer.how}`);
  await peer.kill('SIGSTOP');
  await peer.stop();
  await assert.rejects(probeNats(peer, soon()));
});

test('rtpengine answers ping on its ng port and stops', async (t) => {
  const { peer, reason } = await startRtpengine();
  if (peer === undefined) return t.skip(reason);
  await probeNg(peer, soon());
  await peer.stop();
  if (peer.how !== 'environment') await assert.rejects(probeNg(peer, soon()));
});

test('Prometheus scrapes what it is told, evaluates rules, and stops', async (t) => {
  const rules = 'groups: [{ name: a, rules: [{ record: "doubled:up:sum", expr: 2 * sum(up) }] }]';
  const { peer, reason } = await startPrometheus({
    targets: [{ job: 'nobody', address: '127.0.0.1:1', labels: { namespace: 'x' } }],
    rules: { 'a.yaml': rules },
    intervalSeconds: 1,
  });
  if (peer === undefined) return t.skip(reason);
  const ask = async (query: string) => await (await fetch(`${peer.url}/api/v1/query?query=${query}`)).text();
  await eventually(async () => (await ask('up')).includes('"namespace":"x"'), 'a scrape', 30_000);
  await eventually(async () => (await ask('doubled:up:sum')).includes('"0"'), 'an evaluation', 30_000);
  await peer.stop();
  await assert.rejects(ask('up'));
});

test('flags that a peer refuses are told with its own words, at once', async (t) => {
  const { peer, reason } = await startNats();
  if (peer === undefined) return t.skip(reason);
  const { how } = peer;
  await peer.stop();
  if (how !== 'binary') return t.skip(`NATS by ${how}`);
  await assert.rejects(startNats({ args: ['--no-such-flag'] }), (error) => {
    assert.ok(error instanceof PeerError);
    assert.equal(error.code, 'not-ready');
    assert.match(error.message, /no-such-flag/);
    return true;
  });
});

test('an address in the environment goes first and is left running', async (t) => {
  const { peer, reason } = await startNats();
  if (peer === undefined) return t.skip(reason);
  const body = 'const { peer } = await startNats(); console.log(peer.how, peer.url); await peer.stop();';
  assert.equal(await inEnvironment({ NATS_URL: peer.url }, body), `environment ${peer.url}`);
  await probeNats(peer, soon());
  await peer.stop();
});

test('an rtpengine of the environment is known with its metrics where their address is there too', async (t) => {
  const { peer, reason } = await startRtpengine();
  if (peer === undefined) return t.skip(reason);
  t.after(() => peer.stop());
  const body = 'const { peer } = await startRtpengine(); console.log(peer.how, peer.ng, peer.http);';
  const http = '127.0.0.1:22280';
  assert.equal(await inEnvironment({ RTPENGINE_NG: peer.ng }, body), `environment ${peer.ng} undefined`);
  assert.equal(
    await inEnvironment({ RTPENGINE_NG: peer.ng, RTPENGINE_HTTP: http }, body),
    `environment ${peer.ng} ${http}`,
  );
});

test('an address in the environment that does not answer is an error, not a fall-back', async () => {
  const body = 'await startNats().catch((error) => console.log(error.code, error.message));';
  assert.match(await inEnvironment({ NATS_URL: 'nats://127.0.0.1:1' }, body), /^not-ready nats: .*environment/);
});

test('a peer does not outlive the process that started it', async (t) => {
  const { peer, reason } = await startNats();
  if (peer === undefined) return t.skip(reason);
  await peer.stop();
  if (peer.how !== 'binary') return t.skip(`NATS by ${peer.how}`);
  for (const end of ['process.exit(0)', "process.kill(process.pid, 'SIGKILL')"]) {
    const body = `
      const { readlinkSync } = await import('node:fs');
      const { peer } = await startNats();
      const seen = { port: peer.port, directory: readlinkSync('/proc/' + peer.pid + '/cwd') };
      process.stdout.write(JSON.stringify(seen), () => ${end});`;
    const printed = await inEnvironment({}, body).catch((error: unknown) => {
      assert.ok(error instanceof Error && 'stdout' in error);
      return String(error.stdout);
    });
    const { port, directory }: { port: number; directory: string } = JSON.parse(printed);
    const signal = AbortSignal.timeout(5_000);
    const alive = () =>
      probeNats({ host: '127.0.0.1', port }, signal).then(
        () => true,
        () => false,
      );
    while (await alive()) assert.ok(!signal.aborted, end);
    // Nothing can tidy up after SIGKILL but us.
    if (end === 'process.exit(0)') await assert.rejects(access(directory), { code: 'ENOENT' });
    else await rm(directory, { recursive: true });
  }
});

test('absent peers: a reason without CI, an error with CI unless no set-up can install them', async () => {
  // The image of an empty machine: nothing on PATH, and the sbin folders are shadowed by an unknown command name.
  const resolve = JSON.stringify(new URL('./resolve.js', import.meta.url).href);
  const body = `
    const { resolvePeer } = await import(${resolve});
    const recipe = async () => ({ name: 'x', command: 'no-such-command', image: 'none', args: () => [], probe: async () => ({}) });
    const search = { kind: 'x', environment: undefined, fixedPorts: false, recipe, optional: OPTIONAL };
    console.log(await resolvePeer(search).then((r) => String(r.peer) + ' ' + r.reason, (e) => e.code + ' ' + e.message));`;
  const expected = 'x is absent: containers are not tried; no no-such-command on PATH';
  const search = (optional: boolean, environment: Record<string, string>) =>
    inEnvironment(environment, body.replace('OPTIONAL', String(optional)));
  assert.equal(await search(false, {}), `undefined ${expected}`);
  assert.equal(await search(false, { CI: 'true' }), `absent ${expected}`);
  assert.equal(await search(true, { CI: 'true' }), `undefined ${expected}`);
});

test('media port ranges differ per call and stay below the ports that the kernel hands out', async () => {
  const start = await ephemeralStart();
  const [first, second] = [await mediaPortRange(), await mediaPortRange()];
  assert.ok(first.max < start && second.max < start);
  assert.ok(first.max < second.min || second.max < first.min);
  await assert.rejects(mediaPortRange({ min: start - 10, max: start + 10 }), { code: 'not-possible' });
});

test('drachtio-server is ready when it accepts the secret and tells its contacts', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const [, id, secret] = /#([^|]+)\|authenticate\|([^|]*)\|/.exec(String(data)) ?? [];
      const early = 'OK||v0.9.10';
      const outcome =
        secret === 'early'
          ? early
          : secret === 'right'
            ? 'OK|udp/127.0.0.1:5060,tcp/127.0.0.1:5060|v0.9.10'
            : 'NO|incorrect secret';
      socket.write(`99#7f6a|response|${id}|${outcome}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const address = { host: '127.0.0.1', port };
  assert.deepEqual(await probeDrachtio(address, 'right', soon()), ['udp/127.0.0.1:5060', 'tcp/127.0.0.1:5060']);
  await assert.rejects(probeDrachtio(address, 'wrong', soon()), /incorrect secret/);
  await assert.rejects(probeDrachtio(address, 'early', soon()), /does not listen/);
  server.close();
});
