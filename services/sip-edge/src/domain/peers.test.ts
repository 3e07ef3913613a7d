import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerSet } from './peers.js';

const peers = new PeerSet(['203.0.113.0/24', '198.51.100.7', '2001:db8:5::/48', '::1']);

for (const [address, expected] of [
  ['203.0.113.0', true],
  ['203.0.113.255', true],
  ['203.0.114.1', false],
  ['198.51.100.7', true],
  ['198.51.100.8', false],
  ['::ffff:198.51.100.7', true],
  ['2001:db8:5:ffff::1', true],
  ['2001:db8:6::1', false],
  ['::1', true],
  ['fe80::1%eth0', false],
  ['carrier.example', false],
] as const) {
  test(`${address} ${expected ? 'is' : 'is not'} a peer`, () => {
    assert.equal(peers.has(address), expected);
  });
}

test('nobody is a peer of an empty set', () => {
  assert.equal(new PeerSet([]).has('127.0.0.1'), false);
});

test('an entry that is no address is named', () => {
  assert.throws(() => new PeerSet(['10.0.0.0/8', 'pbx.example']), /'pbx\.example'/);
});
