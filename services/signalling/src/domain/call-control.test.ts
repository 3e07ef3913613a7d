import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision } from '@sidestream/policy';
import { EmergencyNumbers, TrunkTable } from '@sidestream/routing';
import { certificateNamesHeader, trunkSchema } from '@sidestream/service';
import { dynamics365 } from '@sidestream/siprec';
import { FakeWorld } from '../testing/fake-world.js';
import { CallAdmission } from './admission.js';
import { CallControl, drained } from './call-control.js';
import { CallGuard, type GuardedTrunk } from './call-guard.js';
import { CallRegistry } from './call-registry.js';
import type { CallSession } from './call-session.js';
import { CallerProof } from './caller-proof.js';
import type { CallFacts, IncomingInvite, OutgoingInvite, PolicyFacts, RecordingFacts } from './ports.js';
import { type RecordingTerms, usualTerms } from './recording-terms.js';
import { TargetStates } from './target-states.js';

const trunk = (over: object) => trunkSchema.parse({ tenant: 'contoso', side: 'customer', ...over });

function control(
  o: {
    unavailable?: { full: boolean; text: string };
    overload?: string;
    trunks?: Record<string, GuardedTrunk>;
    missing?: string[];
    maxCalls?: number;
    decision?: Partial<Decision>;
    terms?: Partial<RecordingTerms>;
  } = {},
) {
  const world = new FakeWorld();
  const registry = new CallRegistry<CallSession>(o.maxCalls ?? 10);
  const relays = { ...world.relays, unavailable: () => o.unavailable };
  const decided: PolicyFacts[] = [];
  const invited: OutgoingInvite[] = [];
  const { trunking } = world;
  const policies = {
    missing: o.missing ?? [],
    decide: (_tenant: string, facts: PolicyFacts) => {
      decided.push(facts);
      return {
        record: true,
        reason: 'listed' as const,
        party: 'called' as const,
        policyRevision: '7',
        recorders: ['sip:r1'],
        ...o.decision,
      };
    },
  };
  const admission = new CallAdmission(registry, relays, policies, { problem: o.overload });
  const guard = new CallGuard(o.trunks ?? {}, world.services().clock);
  const started: CallFacts[] = [];
  const began: RecordingFacts[] = [];
  const config = {
    carrier: trunk({ peers: ['127.0.0.1'], routes: [{ to: 'pbx' }] }),
    picky: trunk({ peers: ['127.0.0.2'], routes: [{ called: { prefix: '+49' }, to: 'pbx' }] }),
    other: trunk({ tenant: 'fabrikam', peers: ['127.0.0.3'], routes: [{ to: 'pbx' }] }),
    berlin: trunk({
      peers: ['127.0.0.4'],
      numbers: { defaultCountry: 'DE', incoming: { strip: '0' } },
      routes: [{ to: 'london' }],
    }),
    london: trunk({
      targets: ['sip:192.0.2.8'],
      routes: [{ to: 'carrier' }],
      numbers: { defaultCountry: 'GB', outgoing: { format: 'national', prefix: '9' } },
    }),
    shown: trunk({ certificateNames: ['pbx.example'], routes: [{ to: 'pbx' }] }),
    pbx: trunk({ side: 'seller', targets: ['sip:192.0.2.9'], routes: [{ to: 'carrier' }] }),
  };
  const trunks = new TrunkTable(config, new EmergencyNumbers(['112']));
  const made = new CallControl({
    ...world.services(),
    callers: new CallerProof({
      trunks,
      registered: { ofContact: () => undefined, ofSource: () => undefined },
      config,
      logins: new Map(),
      clock: () => 0,
      onProof: () => {},
    }),
    events: {
      ...world.events,
      callStarted: (call) => void started.push(call),
      recordingBegan: (recording) => void began.push(recording),
    },
    trunking: {
      ...trunking,
      invite: (...[invite, signal]: Parameters<typeof trunking.invite>) => {
        invited.push(invite);
        return trunking.invite(invite, signal);
      },
    },
    relays,
    targets: new TargetStates(() => performance.now()),
    trunks,
    policies,
    admission,
    guard,
    registry,
    recorderOf: () => ({ profile: dynamics365, accountId: 'AC0123' }),
    termsOf: () => ({ ...usualTerms, ...o.terms }),
  });
  return { world, registry, admission, guard, started, began, decided, invited, control: made };
}

function from(world: FakeWorld, over: Partial<IncomingInvite>): IncomingInvite {
  return Object.assign(Object.create(world.invite), over);
}

test('a stranger hears 403 and learns nothing', () => {
  const { world, control: calls } = control();
  calls.take(from(world, { source: { address: '198.51.100.1', port: 5060 } }));
  assert.match(world.did[0] ?? '', /^refuse 403/);
  assert.deepEqual(world.told, [{ kind: 'callRefused unknown-trunk' }]);
  assert.equal(calls.options(from(world, { source: { address: '198.51.100.1', port: 5060 } })).status, 403);
});

test('OPTIONS of a peer that its certificate alone makes one hears what its INVITE would', () => {
  const { world, control: calls } = control();
  const source = { address: '198.51.100.1', port: 5060 };
  const shown = (name: string) => (name === certificateNamesHeader ? 'pbx.example' : world.invite.header(name));
  assert.equal(calls.options(from(world, { source, header: shown })).status, 200);
});

for (const [what, options, text] of [
  ['no relay', { unavailable: { full: false, text: 'none available' } }, 'media relay: none available'],
  ['no policy', { missing: ['contoso'] }, 'policy of tenant contoso: none usable'],
  ['no room', { maxCalls: 0 }, '0 calls are up'],
  ['no time', { overload: 'the event loop lags 300 ms' }, 'the event loop lags 300 ms'],
  ['relays that have enough', { unavailable: { full: true, text: 'all are full' } }, 'media relay: all are full'],
] as const) {
  test(`${what}: 503 that names what is missing, to INVITE and OPTIONS`, () => {
    const { world, control: calls } = control({
      ...options,
      missing: 'missing' in options ? [...options.missing] : [],
    });
    calls.take(world.invite);
    assert.deepEqual(world.did, [`refuse 503 399 sidestream "${text}"`]);
    const { status, headers } = calls.options(world.invite);
    assert.equal(status, 503);
    assert.ok(headers['Retry-After']);
  });
}

test('an instance that drains takes no new call', () => {
  const { world, admission, control: calls } = control();
  assert.equal(calls.options(world.invite).status, 200);
  admission.drain();
  calls.take(world.invite);
  assert.deepEqual(world.did, ['refuse 503 399 sidestream "draining"']);
});

test('what cannot be routed is refused: no hops left, no route', () => {
  const cases: [Partial<IncomingInvite>, number][] = [
    [{ header: (name) => (name === 'max-forwards' ? '0' : undefined) }, 483],
    [{ source: { address: '127.0.0.2', port: 1 } }, 404],
  ];
  for (const [over, status] of cases) {
    const { world, control: calls } = control();
    calls.take(from(world, over));
    assert.match(world.did[0] ?? '', new RegExp(`^refuse ${status}`));
  }
});

test('numbers are what the plan of their trunk says, for the policy and for the trunk where the call goes', async () => {
  const { world, decided, invited, control: calls } = control();
  const from = (name: string) => (name === 'from' ? '<sip:030901820@carrier>' : undefined);
  const source = { address: '127.0.0.4', port: 1 };
  calls.take(
    Object.assign(Object.create(world.invite), { source, header: from, requestUri: 'sip:000442079460958@sbc' }),
  );
  await world.until(() => world.count('callAnswered') > 0);
  assert.deepEqual(decided[0]?.numbers, { calling: '+4930901820', called: '+442079460958' });
  assert.equal(invited[0]?.uri, 'sip:902079460958@192.0.2.8');
  assert.equal(invited[0]?.headers['From'], '<sip:004930901820@192.0.2.1>');
  await calls.endAll(drained(), AbortSignal.timeout(5_000));
});

test('a call that no route takes hears 404 and of which trunk', () => {
  const { world, control: calls } = control();
  calls.take(from(world, { source: { address: '127.0.0.2', port: 1 } }));
  assert.deepEqual(world.did, ['refuse 404 399 sidestream "no route of trunk picky takes this call"']);
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

test('a tenant without a policy is refused alone: the calls of the others come in', async () => {
  const { world, registry, control: calls } = control({ missing: ['fabrikam'] });
  calls.take(from(world, { source: { address: '127.0.0.3', port: 1 } }));
  assert.deepEqual(world.did, ['refuse 503 399 sidestream "policy of tenant fabrikam: none usable"']);
  assert.equal(calls.options(from(world, { source: { address: '127.0.0.3', port: 1 } })).status, 503);
  assert.equal(calls.options(world.invite).status, 200);
  const { world: another, control: others } = control({ missing: ['fabrikam'] });
  others.take(another.invite);
  await another.until(() => another.count('callAnswered') > 0);
  await others.endAll(drained(), AbortSignal.timeout(5_000));
  assert.equal(registry.size, 0);
});

for (const [what, matched, name] of [
  [
    "the policy's name for a called seller counts, not the one that the caller wrote into To",
    'sip:+15550001@sbc',
    'Ada Berger',
  ],
  ['a name of the policy is given to the party that it names and to nobody else', 'sip:ada@elsewhere', ''],
] as const) {
  test(what, async () => {
    const decision = { seller: { id: 'ada', name: 'Ada Berger' }, matched };
    const { world, started, control: calls } = control({ decision });
    const header = (field: string) =>
      field === 'to' ? '"The Chancellor" <sip:+15550001@sbc>' : world.invite.header(field);
    calls.take(from(world, { header }));
    await world.until(() => world.count('callAnswered') > 0);
    assert.deepEqual([started[0]?.parties.seller.name, started[0]?.parties.called.name], [name, name]);
    assert.equal(started[0]?.parties.seller.user, '+15550001');
    await calls.endAll(drained(), AbortSignal.timeout(5_000));
  });
}

for (const [requestUri, kind] of [
  ['sip:+15550001@sbc', 'callEnded'],
  ['sip:112@sbc', 'callAnswered'],
] as const) {
  test(`recording is required and cannot be had: a call to ${requestUri} hears of ${kind}`, async () => {
    const { world, control: calls } = control({ terms: { required: true } });
    world.behaviours.set('start fork', 'fail');
    calls.take(from(world, { requestUri }));
    await world.until(() => world.count('callAnswered') + world.count('callEnded') > 0);
    assert.equal(world.count(kind), 1);
    await calls.endAll(drained(), AbortSignal.timeout(5_000));
  });
}

test('a call for help that is redirected to a seller who must be recorded is put through without a recorder', async () => {
  const { world, control: calls } = control({ terms: { required: true } });
  world.behaviours.set('recorder invite', 'fail');
  world.farRefusal = { status: 302, reason: 'Moved Temporarily', contact: '<sip:+15550002@sbc>' };
  world.onStep = (name) => {
    if (name === 'invite' && world.dialled.length > 1) world.farRefusal = undefined;
  };
  calls.take(from(world, { requestUri: 'sip:112@sbc' }));
  await world.until(() => world.count('callAnswered') + world.count('callEnded') > 0);
  assert.deepEqual([world.dialled.length, world.count('callAnswered')], [2, 1]);
  await calls.endAll(drained(), AbortSignal.timeout(5_000));
});

const carrier = { maxDurationMs: undefined };

test('a trunk that has enough is refused with 503 and a reason, whichever way the call goes; its place is given back', async () => {
  for (const [name, trunks] of [
    ['carrier', { carrier: { limits: { ...carrier, calls: 1 } } }],
    ['pbx', { pbx: { limits: { ...carrier, calls: 1 } } }],
  ] as const) {
    const { world, guard, control: calls } = control({ trunks });
    calls.take(world.invite);
    await world.until(() => world.count('callAnswered') > 0);
    calls.take(from(new FakeWorld(), {}));
    assert.equal(world.count('callRefused trunk-full'), 1);
    assert.equal(guard.calls.get(name), 1);
    await calls.endAll(drained(), AbortSignal.timeout(5_000));
    assert.equal(guard.calls.get(name), 0);
  }
});

test('a trunk that fills between screening and dialling: 503 that says so and when to come again', async () => {
  const { world, control: calls } = control({ trunks: { pbx: { limits: { ...carrier, calls: 1 } } } });
  const heard: [number, string[]][] = [];
  const refuse = async (status: number, headers = {}) => void heard.push([status, Object.keys(headers)]);
  calls.take(world.invite);
  calls.take(from(new FakeWorld(), { refuse }));
  await world.until(() => world.count('callAnswered') > 0 && world.count('callEnded') > 0);
  assert.deepEqual(heard, [[503, ['Retry-After', 'Warning', 'Reason']]]);
  assert.equal(world.terminationOf('callEnded')?.detail, 'trunk pbx: 1 calls are up');
  await calls.endAll(drained(), AbortSignal.timeout(5_000));
});

test('a destination that is denied: 403 that says so, and nothing is opened', () => {
  const { world, control: calls } = control({ trunks: { carrier: { destinations: { allow: ['+49'], deny: [] } } } });
  calls.take(world.invite);
  assert.deepEqual(world.did, [
    'refuse 403 399 sidestream "trunk carrier: this number is not among those that may be called"',
  ]);
  assert.deepEqual(world.steps, []);
  assert.equal(world.count('callRefused destination'), 1);
});

test('whoever calls for help comes in over every cap and rule, and is not ended by one', async () => {
  const trunks = { carrier: { limits: { calls: 1, maxDurationMs: 1 }, destinations: { allow: ['+49'], deny: [] } } };
  const { world, registry, control: calls } = control({ maxCalls: 0, overload: 'the event loop lags', trunks });
  calls.take(from(world, { requestUri: 'sip:112@sbc' }));
  await world.until(() => world.count('callAnswered') > 0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(registry.size, 1);
  await calls.endAll(drained(), AbortSignal.timeout(5_000));
  assert.equal(world.terminationOf('callEnded')?.reason, 'drained');
});

test('a call that lasts too long is ended with BYE to both and a termination of its own', async () => {
  const { world, control: calls } = control({ trunks: { pbx: { limits: { maxDurationMs: 20 } } } });
  calls.take(world.invite);
  await world.until(() => world.count('callEnded') > 0);
  assert.equal(world.count('callAnswered'), 1);
  assert.equal(world.terminationOf('callEnded')?.reason, 'max-duration');
  assert.deepEqual(world.did.filter((what) => what.startsWith('bye')).sort(), ['bye far', 'bye near']);
});

test('recordings that run at the same time say so, and how many of them the call needs; one alone does not', async () => {
  for (const [recorders, needs] of [
    [['sip:r1', 'sip:r2'], 'all'],
    [['sip:r1'], undefined],
  ] as const) {
    const { world, began, control: calls } = control({ terms: { parallel: 'all' }, decision: { recorders } });
    calls.take(world.invite);
    await world.until(() => world.count('callAnswered') > 0 && began.length === recorders.length);
    for (const { group } of began) assert.equal(group?.needs, needs);
    assert.equal(new Set(began.map(({ group }) => group?.groupId)).size, 1);
    await calls.endAll(drained(), AbortSignal.timeout(5_000));
  }
});
