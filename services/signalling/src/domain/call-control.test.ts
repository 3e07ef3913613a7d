import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrunkConfig } from '@sidestream/service';
import { FakeWorld } from '../testing/fake-world.js';
import { CallAdmission } from './admission.js';
import { CallControl, drained } from './call-control.js';
import { CallRegistry } from './call-registry.js';
import type { CallSession } from './call-session.js';
import type { IncomingInvite } from './ports.js';
import { TrunkTable } from './routing.js';

const trunk = (over: Partial<TrunkConfig>): TrunkConfig => ({
  tenant: 'contoso',
  side: 'customer',
  transport: 'udp',
  peers: [],
  targets: [],
  routes: [],
  ...over,
});

function control(o: { unavailable?: string; missing?: string[]; maxCalls?: number } = {}) {
  const world = new FakeWorld();
  const registry = new CallRegistry<CallSession>(o.maxCalls ?? 10);
  const relays = { ...world.relays, unavailable: () => o.unavailable };
  const policies = {
    missing: o.missing ?? [],
    decide: () => ({ record: true, reason: 'listed' as const, policyRevision: '7', recorders: ['sip:r1'] }),
  };
  const admission = new CallAdmission(registry, relays, policies);
  const made = new CallControl({
    ...world.services(),
    relays,
    trunks: new TrunkTable({
      carrier: trunk({ peers: ['127.0.0.1'], routes: [{ to: 'pbx' }] }),
      lonely: trunk({ peers: ['127.0.0.2'], routes: [] }),
      pbx: trunk({ side: 'seller', targets: ['sip:192.0.2.9'], routes: [{ to: 'carrier' }] }),
    }),
    policies,
    admission,
    registry,
    accountId: () => 'AC0123',
  });
  return { world, registry, admission, control: made };
}

function from(world: FakeWorld, over: Partial<IncomingInvite>): IncomingInvite {
  return Object.assign(Object.create(world.invite), over);
}

test('a stranger hears 403 and learns nothing', () => {
  const { world, control: calls } = control();
  calls.take(from(world, { source: { address: '198.51.100.1', port: 5060 } }));
  assert.match(world.did[0] ?? '', /^refuse 403/);
  assert.equal(world.told.length, 0);
});

for (const [what, options, text] of [
  ['no relay', { unavailable: 'none available' }, 'media relay: none available'],
  ['no policy', { missing: ['contoso'] }, 'policy of tenant contoso: none usable'],
  ['no room', { maxCalls: 0 }, '0 calls are up'],
] as const) {
  test(`${what}: 503 that names what is missing, to INVITE and OPTIONS`, () => {
    const { world, control: calls } = control({
      ...options,
      missing: 'missing' in options ? [...options.missing] : [],
    });
    calls.take(world.invite);
    assert.deepEqual(world.did, [`refuse 503 399 sidestream "${text}"`]);
    const { status, headers } = calls.options({ address: '127.0.0.1', port: 1 });
    assert.equal(status, 503);
    assert.ok(headers['Retry-After']);
  });
}

test('an instance that drains takes no new call', () => {
  const { world, admission, control: calls } = control();
  assert.equal(calls.options({ address: '127.0.0.1', port: 1 }).status, 200);
  admission.drain();
  calls.take(world.invite);
  assert.deepEqual(world.did, ['refuse 503 399 sidestream "draining"']);
});

test('what cannot be routed is refused: no hops left, no target, no offer', () => {
  const cases: [Partial<IncomingInvite>, number][] = [
    [{ header: (name) => (name === 'max-forwards' ? '0' : undefined) }, 483],
    [{ source: { address: '127.0.0.2', port: 1 } }, 404],
    [{ sdp: '' }, 488],
  ];
  for (const [over, status] of cases) {
    const { world, control: calls } = control();
    calls.take(from(world, over));
    assert.match(world.did[0] ?? '', new RegExp(`^refuse ${status}`));
  }
});

test('a call is in the registry as long as it lives, and all are ended at a stop', async () => {
  const { world, registry, control: calls } = control();
  calls.take(world.invite);
  assert.equal(registry.size, 1);
  await world.until(() => world.count('callAnswered') > 0);
  await calls.endAll(drained(), AbortSignal.timeout(5_000));
  assert.equal(registry.size, 0);
  assert.equal(world.terminationOf('callEnded')?.reason, 'drained');
  assert.deepEqual(world.did.filter((what) => what.startsWith('bye')).sort(), ['bye far', 'bye near']);
  assert.deepEqual([...world.held.keys()], []);
});
