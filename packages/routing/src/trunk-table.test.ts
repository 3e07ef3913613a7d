import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trunkSchema } from '@sidestream/service';
import { EmergencyNumbers } from './emergency-numbers.js';
import { explainRoute } from './explain-route.js';
import { requestUriAt } from './target.js';
import { TrunkTable } from './trunk-table.js';

const trunk = (over: object) =>
  trunkSchema.parse({ tenant: 'contoso', side: 'customer', routes: [{ to: 'pbx' }], ...over });

/** What a call from the trunk is routed to, as request URIs. */
function routed(
  table: TrunkTable,
  from: string,
  called: string,
  o: { calling?: string; requestUri?: string; headers?: Record<string, string> } = {},
): string[] {
  const of = table.find(from);
  assert.ok(of);
  const { calling = '', requestUri = `sip:${called}@sbc`, headers = {} } = o;
  const routing = table.route({ trunk: of, requestUri, called, calling, header: (name) => headers[name] });
  return table
    .candidates(routing, () => 0)
    .map((candidate) => `${candidate.trunk.name} ${requestUriAt(candidate, candidate.user)}`);
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
    carrier: trunk({ peers: ['127.0.0.1'], routes: [{ to: 'pbx' }, { to: ['spare', 'pbx'] }] }),
    pbx: trunk({ side: 'seller', targets: ['sip:10.0.0.5:5060', 'sip:10.0.0.6;transport=tls'], transport: 'tcp' }),
    spare: trunk({ side: 'seller', targets: ['sips:spare.example.org'] }),
  });
  assert.deepEqual(routed(table, 'carrier', '+1555'), [
    'pbx sip:+1555@10.0.0.5:5060;transport=tcp',
    'pbx sip:+1555@10.0.0.6;transport=tls',
    'spare sips:+1555@spare.example.org',
  ]);
});

test('a target with a lower priority comes first, whatever its place', () => {
  const targets = [{ uri: 'sip:second', priority: 20 }, 'sip:first', { uri: 'sip:also-second', priority: 20 }];
  const table = new TrunkTable({ carrier: trunk({ peers: ['127.0.0.1'] }), pbx: trunk({ targets }) });
  assert.deepEqual(routed(table, 'carrier', '1'), ['pbx sip:1@first', 'pbx sip:1@second', 'pbx sip:1@also-second']);
});

const choosy = new TrunkTable(
  {
    carrier: trunk({
      peers: ['127.0.0.1'],
      numbers: { defaultCountry: 'DE' },
      routes: [
        { called: { exact: '112' }, to: 'help' },
        { called: { prefix: '+4930' }, to: 'berlin' },
        { called: { regex: '(\\+49|0)(800|180)\\d+' }, header: { name: 'X-Class', matches: '^gold' }, to: 'gold' },
        { calling: { prefix: '+1' }, to: 'america' },
      ],
    }),
    mute: trunk({ peers: ['127.0.0.2'], routes: [{ called: { exact: '1' }, to: 'berlin' }] }),
    help: trunk({ targets: ['sip:help'], numbers: { outgoing: { format: 'digits', prefix: '9' } } }),
    berlin: trunk({
      targets: ['sip:berlin'],
      numbers: { outgoing: { format: 'national', prefix: '9' }, defaultCountry: 'DE' },
    }),
    gold: trunk({ targets: ['sip:gold'], numbers: { outgoing: { format: 'digits' } } }),
    america: trunk({ targets: ['sip:america'], numbers: { outgoing: { format: 'e164' } } }),
  },
  new EmergencyNumbers(['112']),
);

for (const [what, called, o, expected] of [
  ['a national number is routed by its E.164 form', '030 901820', {}, ['berlin sip:9030901820@berlin']],
  ['a number in E.164 takes the same route', '+4930901820', {}, ['berlin sip:9030901820@berlin']],
  [
    'the dialled form may match too, and a header with it',
    '0800123456',
    { headers: { 'x-class': 'gold, no less' } },
    ['gold sip:49800123456@gold'],
  ],
  ['a route takes only what all of its conditions hold for', '0800123456', {}, []],
  ['a header is found by its value', '0800123456', { headers: { 'x-class': 'silver' } }, []],
  ['the calling number may decide', '4711', { calling: '001 425 555 0123' }, ['america sip:4711@america']],
  ['a number that begins otherwise takes no route', '+48301234567', {}, []],
  ['an emergency number takes its route as it is dialled', '112', {}, ['help sip:112@help']],
  ['escaped characters are those that they stand for', '%2B4930901820', {}, ['berlin sip:9030901820@berlin']],
  ['an emergency number that is escaped is one', '%31%31%32', {}, ['help sip:112@help']],
  ['an emergency number with separators as well', '1-1-2', {}, ['help sip:1-1-2@help']],
] as const) {
  test(what, () => {
    assert.deepEqual(routed(choosy, 'carrier', called, o), expected);
  });
}

test('an emergency call that no route takes goes where any route leads, as it is dialled', () => {
  assert.deepEqual(routed(choosy, 'mute', '112'), ['berlin sip:112@berlin']);
  assert.deepEqual(routed(choosy, 'mute', '113'), []);
});

test('RFC 5031: a call to the service itself is one to its number, whatever comes beside the name', () => {
  const requestUri = 'urn:service:sos.fire';
  for (const called of ['', '030901820'])
    assert.deepEqual(routed(choosy, 'mute', called, { requestUri }), ['berlin sip:112@berlin']);
});

test('an explanation tells each step: what the numbers are, why each route is or is not taken, the targets', () => {
  const carrier = choosy.find('carrier');
  assert.ok(carrier);
  const query = { trunk: carrier, requestUri: 'sip:x', calling: '+14255550123', header: () => undefined };
  const { steps, targets } = explainRoute(choosy, { ...query, called: '030901820' });
  assert.deepEqual(steps, [
    'call from trunk carrier, tenant contoso',
    'called 030901820: taken as 030901820, which is +4930901820',
    'calling +14255550123: taken as +14255550123, which is +14255550123',
    'route 0 not taken: called number exact 112 does not hold',
    'route 1 taken: called number prefix +4930; to berlin',
    'route 2 not taken: called number regex (\\+49|0)(800|180)\\d+ does not hold',
    'route 3 taken: calling number prefix +1; to america',
    'target 1 of trunk berlin: INVITE sip:9030901820@berlin (priority 0, weight 1)',
    'target 2 of trunk america: INVITE sip:+4930901820@america (priority 0, weight 1)',
  ]);
  assert.deepEqual(
    targets.map(({ trunk: name }) => name),
    ['berlin', 'america'],
  );
  const none = explainRoute(choosy, { ...query, calling: '', called: '+48301234567' });
  assert.equal(none.steps.at(-1), 'nothing takes the call: the caller hears 404');
});
