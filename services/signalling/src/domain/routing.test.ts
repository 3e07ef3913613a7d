import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrunkConfig } from '@sidestream/service';
import { requestUriAt, TrunkTable } from './routing.js';

function trunk(over: Partial<TrunkConfig>): TrunkConfig {
  return {
    tenant: 'contoso',
    side: 'customer',
    transport: 'udp',
    peers: [],
    targets: [],
    routes: [{ to: 'pbx' }],
    ...over,
  };
}

test('the longest prefix decides whose trunk a source address is; a stranger has none', () => {
  const table = new TrunkTable({
    wide: trunk({ peers: ['203.0.113.0/24', '2001:db8::/32'] }),
    narrow: trunk({ peers: ['203.0.113.7'] }),
    pbx: trunk({ side: 'seller', targets: ['sip:10.0.0.5:5060'], routes: [{ to: 'wide' }] }),
  });
  assert.equal(table.ofSource('203.0.113.7', 5060)?.name, 'narrow');
  assert.equal(table.ofSource('203.0.113.8', 5060)?.name, 'wide');
  assert.equal(table.ofSource('::ffff:203.0.113.8', 5060)?.name, 'wide');
  assert.equal(table.ofSource('2001:db8::1', 5060)?.name, 'wide');
  assert.equal(table.ofSource('198.51.100.1', 5060), undefined);
  assert.equal(table.ofSource('not an address', 5060), undefined);
});

test('the hosts of the targets are the peers where none are named', () => {
  const table = new TrunkTable({
    pbx: trunk({ side: 'seller', targets: ['sip:10.0.0.5:5060', 'sip:[2001:db8::5]:5060'] }),
  });
  assert.equal(table.ofSource('10.0.0.5', 40_000)?.name, 'pbx');
  assert.equal(table.ofSource('2001:db8::5', 5060)?.name, 'pbx');
});

test('two trunks of one host are told apart by the port of their target', () => {
  const table = new TrunkTable({
    carrier: trunk({ peers: ['127.0.0.1'] }),
    pbx: trunk({ side: 'seller', targets: ['sip:127.0.0.1:5070'] }),
  });
  assert.equal(table.ofSource('127.0.0.1', 5070)?.name, 'pbx');
  assert.equal(table.ofSource('127.0.0.1', 5072)?.name, 'carrier');
});

test('routes lead to the targets in order, each with its transport', () => {
  const table = new TrunkTable({
    carrier: trunk({ peers: ['127.0.0.1'], routes: [{ to: 'pbx' }, { to: 'spare' }] }),
    pbx: trunk({ side: 'seller', targets: ['sip:10.0.0.5:5060', 'sip:10.0.0.6;transport=tls'], transport: 'tcp' }),
    spare: trunk({ side: 'seller', targets: ['sips:spare.example.org'] }),
  });
  const from = table.ofSource('127.0.0.1', 1);
  assert.ok(from);
  assert.deepEqual(
    table.candidates(from).map((candidate) => requestUriAt(candidate, '+1555')),
    ['sip:+1555@10.0.0.5:5060;transport=tcp', 'sip:+1555@10.0.0.6;transport=tls', 'sips:+1555@spare.example.org'],
  );
});
