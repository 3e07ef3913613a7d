import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestDns } from '../testing/test-dns.js';
import { ServiceLookup } from './service-lookup.js';

const gateway = { priority: 10, weight: 60, port: 5070, target: 'gw1.carrier.test' };
let now = 0;

async function withDns(
  records: Parameters<typeof startTestDns>[0],
  use: (lookup: ServiceLookup, dns: Awaited<ReturnType<typeof startTestDns>>) => Promise<void>,
) {
  const dns = await startTestDns(records);
  try {
    await use(new ServiceLookup({ deadlineMs: 600, servers: [dns.address], clock: () => now }), dns);
  } finally {
    dns.close();
  }
}

test('RFC 3263 §4.2: each transport has records of its own', () =>
  withDns(
    { '_sip._tcp.carrier.test': [gateway], '_sips._tcp.carrier.test': [{ ...gateway, port: 5071 }] },
    async (lookup) => {
      const found = { host: 'gw1.carrier.test', port: 5070, priority: 10, weight: 60 };
      assert.deepEqual(await lookup.find('Carrier.test', 'tcp'), [found]);
      assert.deepEqual(await lookup.find('carrier.test', 'tls'), [{ ...found, port: 5071 }]);
      assert.equal(await lookup.find('carrier.test', 'udp'), undefined);
    },
  ));

test('RFC 2782: a target of "." says that there is no such service', () =>
  withDns({ '_sip._udp.carrier.test': [{ port: 0, target: '.' }] }, async (lookup) => {
    assert.deepEqual(await lookup.find('carrier.test', 'udp'), []);
  }));

test('an answer is kept for half a minute, and questions of the same time are one', () =>
  withDns({ '_sip._udp.carrier.test': [gateway] }, async (lookup, { asked, records }) => {
    await Promise.all([lookup.find('carrier.test', 'udp'), lookup.find('carrier.test', 'udp')]);
    delete records['_sip._udp.carrier.test'];
    now += 29_000;
    assert.equal((await lookup.find('carrier.test', 'udp'))?.length, 1);
    assert.equal(asked.length, 1);
    now += 2_000;
    assert.equal(await lookup.find('carrier.test', 'udp'), undefined);
  }));

test('a DNS that does not answer costs one deadline, not one for each call; what was known holds on', () =>
  withDns({ '_sip._udp.carrier.test': [gateway], '_sip._udp.other.test': 'silent' }, async (lookup, { records }) => {
    await lookup.find('carrier.test', 'udp');
    records['_sip._udp.carrier.test'] = 'silent';
    now += 31_000;
    const began = performance.now();
    assert.equal((await lookup.find('carrier.test', 'udp'))?.length, 1);
    assert.equal(await lookup.find('other.test', 'udp'), undefined);
    const once = performance.now() - began;
    assert.ok(once < 2_500, `${once} ms`);
    const again = performance.now();
    await lookup.find('carrier.test', 'udp');
    await lookup.find('other.test', 'udp');
    assert.ok(performance.now() - again < 50);
  }));

test('a name without a domain is nothing to ask DNS for', () =>
  withDns({}, async (lookup, { asked }) => {
    assert.equal(await lookup.find('localhost', 'udp'), undefined);
    assert.deepEqual(asked, []);
  }));
