// The real rtpengine, started with what `sidestream media-config` writes on a node behind 1:1 NAT.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NgClient, Rtpengine } from '@sidestream/media-relay/engine';
import { reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import { runCli } from './run-cli.js';

const skip = await reasonToSkip([startRtpengine], { killable: true });
const own = '127.0.0.1';
const published = '203.0.113.7';
const sdpOf = (port: number) =>
  `v=0\r\no=- 1 1 IN IP4 ${own}\r\ns=-\r\nc=IN IP4 ${own}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`;
const addressesIn = (sdp: string) => [...sdp.matchAll(/^[co]=.*IN IP4 (\S+)\r?$/gm)].map(([, address]) => address);

test('parties and recorders are told the public address of the node, which rtpengine itself does not have', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-media-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const table = join(folder, 'nodes.yaml');
  writeFileSync(table, `node-1: ${published}\n`);
  const from = ['--bind', own, '--node', 'node-1', '--node-addresses', table];
  const { code, stdout, stderr } = await runCli(['media-config', '--out', folder, ...from], { timeoutMs: 30_000 });
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).address, published);

  const config = readFileSync(join(folder, 'rtpengine.conf'), 'utf8');
  const server = requirePeer(await startRtpengine({ config }));
  t.after(() => server.stop());
  const client = new NgClient({ address: server });
  t.after(() => client.close());
  const engine = new Rtpengine(client, 'test');
  const soon = AbortSignal.timeout(10_000);
  const usual = { answered: false, srtp: 'off', transcode: [] } as const;
  assert.deepEqual(addressesIn(await engine.offer('call', 'customer', sdpOf(4000), usual, soon)), [
    published,
    published,
  ]);
  assert.deepEqual(addressesIn(await engine.answer('call', 'seller', sdpOf(4002), soon)), [published, published]);
  const fork = { id: 'recorder', sealed: false };
  const { streams } = await engine.offerFork('call', fork, ['customer', 'seller'], undefined, soon);
  assert.deepEqual(
    streams.map(({ address }) => address),
    [published, published],
  );
  await engine.close('call', soon);
});

test('media-config says which source knows no address, and ends with 1', async () => {
  const from = ['--bind', own, '--node', 'node-2', '--node-addresses', '/dev/null'];
  const { code, stderr } = await runCli(['media-config', '--out', '/nowhere', ...from], { timeoutMs: 30_000 });
  assert.equal(code, 1);
  assert.match(stderr, /^sidestream: there is no address that peers could be told: .*\n$/);
});
