import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Peer, PeerResult, PeerSource } from './peer.js';
import { reasonToSkip, requirePeer } from './reason-to-skip.js';

function starting(how: PeerSource) {
  let running = 0;
  const peer: Peer = {
    kind: 'nats',
    how,
    pid: undefined,
    stop: async () => {
      running -= 1;
    },
    kill: async () => undefined,
    output: () => '',
  };
  const start = async (): Promise<PeerResult<Peer>> => {
    running += 1;
    return { peer };
  };
  return { start, running: () => running };
}
const absent = async (): Promise<PeerResult<Peer>> => ({ peer: undefined, reason: 'rtpengine is absent' });

test('no reason when every peer could be started; none of them is left running', async () => {
  const binary = starting('binary');
  assert.equal(await reasonToSkip([binary.start, binary.start], { killable: true }), undefined);
  assert.equal(binary.running(), 0);
});

test('one absent peer is a reason, and the others are stopped', async () => {
  const binary = starting('binary');
  assert.equal(await reasonToSkip([binary.start, absent]), 'rtpengine is absent');
  assert.equal(binary.running(), 0);
});

test('a peer of the environment is a reason only for tests that kill it', async () => {
  const { start } = starting('environment');
  assert.equal(await reasonToSkip([start]), undefined);
  assert.match((await reasonToSkip([start], { killable: true })) ?? '', /nats of the environment/);
});

test('a peer that must be there and is not is an error with the reason', async () => {
  assert.throws(() => requirePeer({ peer: undefined, reason: 'rtpengine is absent' }), {
    code: 'absent',
    message: 'rtpengine is absent',
  });
  const result = await starting('binary').start();
  assert.equal(requirePeer(result), result.peer);
});
