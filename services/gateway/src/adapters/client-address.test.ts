import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientAddress } from './client-address.js';
import { Connections } from './connections.js';

const addresses = new ClientAddress(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32']);
const from = (remoteAddress: string, told?: string) => ({
  socket: { remoteAddress },
  headers: told === undefined ? {} : { 'x-forwarded-for': told },
});

test('who comes by itself has the address of its socket, whatever it says', () => {
  assert.equal(addresses.of(from('203.0.113.9', '198.51.100.1')), '203.0.113.9');
  assert.equal(addresses.of(from('::ffff:203.0.113.9')), '203.0.113.9');
  assert.equal(new ClientAddress([]).of(from('127.0.0.1', '198.51.100.1')), '127.0.0.1');
});

test('behind proxies the right-most address counts that is none of theirs: what is left of it could be forged', () => {
  assert.equal(addresses.of(from('10.1.2.3', '198.51.100.66, 203.0.113.9')), '203.0.113.9');
  assert.equal(addresses.of(from('::ffff:10.1.2.3', '198.51.100.66, 203.0.113.9, 192.0.2.7')), '203.0.113.9');
  assert.equal(addresses.of(from('2001:db8::1', 'forged, 2001:db9:0:1::5')), '2001:db9:0:1::/64');
  assert.equal(addresses.of(from('10.1.2.3', '203.0.113.9:4711')), '203.0.113.9');
  assert.equal(addresses.of(from('10.1.2.3', '[2001:db9::5]:4711')), '2001:db9:0:0::/64');
});

test('IPv6 addresses of one /64 are one, however they are written', () => {
  const one = [
    '2001:db9:a:b::1',
    '2001:0DB9:000a:b:ffff:ffff:ffff:ffff',
    '2001:db9:a:b::1%eth0',
    '2001:db9:a:b::10.0.0.1',
  ];
  for (const address of one) assert.equal(addresses.of(from(address)), '2001:db9:a:b::/64', address);
  for (const [address, network] of [
    ['2001:db9:a:c::1', '2001:db9:a:c::/64'],
    ['2001:db9::a:b:c:d:e', '2001:db9:0:a::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::', 'fe80:0:0:0::/64'],
  ] as const)
    assert.equal(addresses.of(from(address)), network);
});

test('an IPv4 address in IPv6 is that address: those of a translator are not one client', () => {
  for (const mapped of ['::ffff:cb00:7109', '0:0:0:0:0:FFFF:203.0.113.9', '64:ff9b::203.0.113.9', '64:ff9b::cb00:7109'])
    assert.equal(addresses.of(from(mapped)), '203.0.113.9', mapped);
  assert.equal(addresses.of(from('10.1.2.3', '[64:ff9b::cb00:7109]:4711')), '203.0.113.9');
  assert.equal(addresses.of(from('::ffff:a01:203', '203.0.113.9')), '203.0.113.9', 'a proxy of ours');
  assert.equal(
    addresses.of(from('64:ff9b::10.1.2.3', '203.0.113.9')),
    '10.1.2.3',
    'what a translator tells is no proxy',
  );
  assert.equal(addresses.of(from('64:ff9b:0:1::cb00:7109')), '64:ff9b:0:1::/64');
  assert.equal(addresses.of(from('::fffe:cb00:7109')), '0:0:0:0::/64');
});

test('a proxy that says nothing that could be read is taken for the client', () => {
  for (const told of [undefined, '', 'unknown', '203.0.113.9, nonsense', ','])
    assert.equal(addresses.of(from('10.1.2.3', told)), '10.1.2.3');
  assert.equal(addresses.of(from('10.1.2.3', '10.1.0.9')), '10.1.0.9');
});

test('clients behind one proxy have a rate of arrival each', () => {
  const limits = { connections: 100, connectionsPerUser: 1, connectionsPerSecond: 1 };
  const connections = new Connections(limits, new ClientAddress(['10.1.0.0/16']));
  const arrivals = (told: (n: number) => string) =>
    Array.from({ length: 10 }, (_, n) => connections.arrive(from('10.1.2.3', told(n)))).filter(Boolean).length;
  assert.ok(arrivals(() => '203.0.113.1') < 10);
  assert.ok(arrivals(() => '203.0.113.2') >= 4);
  assert.ok(arrivals((n) => `2001:db9::${n}`) < 10, 'who has a /64 has one rate');
});
