import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { NgClient, Rtpengine } from '@sidestream/media-relay/engine';
import { reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import { mediaConfig } from './media-config.js';

const skip = await reasonToSkip([startRtpengine], { killable: true });
const published = '203.0.113.1';

/** Where files go, and a table with the address of node-1. */
function folders(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-media-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const nodeAddresses = join(folder, 'nodes.yaml');
  writeFileSync(nodeAddresses, `node-1: ${published}\n`);
  const out = join(folder, 'out');
  return { out, nodeAddresses, written: () => readFileSync(join(out, 'rtpengine.conf'), 'utf8') };
}

test('rtpengine is told where it listens, and the address to tell where that is another', async (t) => {
  const { out, nodeAddresses, written } = folders(t);
  assert.equal(await mediaConfig({ out, bind: '10.0.0.7', nodeAddresses, node: 'node-2' }), 1);
  assert.ok(!existsSync(out));
  assert.equal(await mediaConfig({ out, bind: '10.0.0.7', nodeAddresses, node: 'node-1' }), 0);
  assert.equal(written(), `[rtpengine]\ninterface=10.0.0.7!${published}\n`);
  assert.equal(await mediaConfig({ out, bind: 'fd00::7' }), 0);
  assert.equal(written(), '[rtpengine]\ninterface=fd00::7\n');
});

test('the real rtpengine, started with that, tells parties and recorders an address that it does not have', {
  skip,
}, async (t) => {
  const { out, nodeAddresses, written } = folders(t);
  const own = '127.0.0.1';
  assert.equal(await mediaConfig({ out, bind: own, nodeAddresses, node: 'node-1' }), 0);
  const server = requirePeer(await startRtpengine({ config: written() }));
  t.after(() => server.stop());
  const client = new NgClient({ address: server });
  t.after(() => client.close());
  const engine = new Rtpengine(client, 'test');
  const soon = AbortSignal.timeout(10_000);
  const sdpOf = (port: number) =>
    `v=0\r\no=- 1 1 IN IP4 ${own}\r\ns=-\r\nc=IN IP4 ${own}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`;
  const addressesIn = (sdp: string) => [...sdp.matchAll(/^[co]=.*IN IP4 (\S+)\r?$/gm)].map(([, address]) => address);
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
