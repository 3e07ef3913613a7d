import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceGate } from './source-gate.js';

function gate(now = () => 0) {
  const isPeer = (address: string) => !address.startsWith('198.51.100.');
  return new SourceGate({
    isPeer,
    opensToStrangers: () => false,
    clock: now,
    messagesPerSecond: 10,
    connectionsPerSecond: 1,
  });
}

test('a stranger is no peer however little it sends', () => {
  assert.equal(gate().admits('198.51.100.1', 'udp'), false);
  assert.equal(gate().admits('198.51.100.1', 'tls'), false);
});

test('a peer may send up to its ceiling, another one is not held up by it', () => {
  let now = 0;
  const sources = gate(() => now);
  const verdicts = Array.from({ length: 21 }, () => sources.admits('192.0.2.1', 'udp'));
  assert.deepEqual([verdicts.slice(0, 20).every((one) => one === true), verdicts[20]], [true, 'rate']);
  assert.equal(sources.admits('192.0.2.2', 'udp'), true);
  now = 100;
  assert.equal(sources.admits('192.0.2.1', 'udp'), true);
  assert.equal(sources.admits('192.0.2.1', 'udp'), 'rate');
});

test('all addresses of an IPv6 /64 are one source', () => {
  const sources = gate();
  for (let host = 1; host <= 20; host += 1) assert.equal(sources.admits(`2001:db8::${host}`, 'udp'), true);
  assert.equal(sources.admits('2001:db8::21', 'udp'), 'rate');
  assert.equal(sources.admits('2001:db8:0:1::1', 'udp'), true);
});

test('connections have a ceiling of their own; what they bring is waited for, not lost', () => {
  const sources = gate();
  assert.deepEqual(
    [1, 2, 3].map(() => sources.admits('192.0.2.1', 'tcp')),
    [true, true, 'rate'],
  );
  assert.equal(sources.pace('192.0.2.1', 20), 0);
  assert.equal(Math.round(sources.pace('192.0.2.1', 5)), 500);
  assert.equal(sources.admits('192.0.2.1', 'udp'), 'rate');
});

test('where strangers may call each has a low ceiling, all together another, and neither is that of a peer', () => {
  const limits = { messagesPerSecond: 10, connectionsPerSecond: 1 };
  const isPeer = (address: string) => address === '192.0.2.1';
  const sources = new SourceGate({ ...limits, isPeer, clock: () => 0, opensToStrangers: () => true });
  const admitted = (address: string) =>
    Array.from({ length: 500 }, () => sources.admits(address, 'udp')).filter((one) => one === true).length;
  assert.equal(admitted('198.51.100.1'), 100);
  assert.equal(sources.admits('198.51.100.1', 'udp'), 'rate');
  const others = Array.from({ length: 9 }, (_, index) => admitted(`198.51.100.${index + 2}`));
  assert.equal(
    others.reduce((sum, one) => sum + one, 0),
    500,
  );
  assert.equal(sources.admits('192.0.2.1', 'udp'), true);
  assert.ok(sources.pace('198.51.100.99', 200) > 1_000);
});
