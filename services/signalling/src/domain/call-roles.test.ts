// Who the seller is follows from the policy, whichever trunk the call came from: direction, media labels, metadata.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, parsePolicyFile } from '@sidestream/policy';
import { TrunkTable } from '@sidestream/routing';
import { trunkSchema } from '@sidestream/service';
import { bodyParts, dynamics365 } from '@sidestream/siprec';
import { FakeWorld } from '../testing/fake-world.js';
import { CallAdmission } from './admission.js';
import { CallControl, drained } from './call-control.js';
import { CallGuard } from './call-guard.js';
import { CallRegistry } from './call-registry.js';
import type { CallSession } from './call-session.js';
import { CallerProof } from './caller-proof.js';
import type { Party } from './parties.js';
import type { CallFacts, ForkStream, Policies, RecordingBody } from './ports.js';
import { usualTerms } from './recording-terms.js';
import { TargetStates } from './target-states.js';

const policy = parsePolicyFile(
  `users:
  - { id: ada, name: Ada Berger, numbers: [+15550001] }
  - { id: bob, name: Bob Stone, numbers: [+15559999] }`,
  'policy.yaml',
);

const policies: Policies = {
  missing: [],
  decide(tenant, { side, parties, at }) {
    const [calling, called] = [parties.callingUris, parties.calledUris].map((uris) => uris.map((uri) => ({ uri })));
    return decide(policy, { tenant, side, calling: calling ?? [], called: called ?? [], at }, ['sip:r1']);
  },
};

const trunk = (side: Party, peer: string, to: string) =>
  trunkSchema.parse({ tenant: 'contoso', side, peers: [peer], targets: ['sip:192.0.2.9'], routes: [{ to }] });

function stream(party: Party, port: number): ForkStream {
  const crypto = `1 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, port).toString('base64')}`;
  return { party, address: '192.0.2.1', port, rtcpPort: port + 1, crypto, payloadTypes: [0] };
}

/** One call from a trunk of that side: what the relay and the recorder were told of it. */
async function recorded(side: Party, calling: string, called: string) {
  const world = new FakeWorld();
  const registry = new CallRegistry<CallSession>(1);
  const started: CallFacts[] = [];
  let offerer: Party | undefined;
  let forked: readonly Party[] = [];
  let body: RecordingBody = { contentType: '', body: Buffer.alloc(0) };
  const services = world.services();
  const relays = {
    ...world.relays,
    open: (...[id, party, ...rest]: Parameters<typeof world.relays.open>) => {
      offerer = party;
      return world.relays.open(id, party, ...rest);
    },
  };
  Object.assign(world.media, {
    startFork: async (_fork: string, parties: readonly Party[]) => {
      forked = parties;
      return parties.map((party, index) => stream(party, 30_000 + 2 * index));
    },
  });
  const recorders = {
    ...world.recorders,
    invite: (...[invite, signal]: Parameters<typeof world.recorders.invite>) => {
      body = invite;
      return world.recorders.invite(invite, signal);
    },
  };
  const config = {
    near: trunk(side, '127.0.0.1', 'far'),
    far: trunk(side === 'seller' ? 'customer' : 'seller', '127.0.0.2', 'near'),
  };
  const trunks = new TrunkTable(config);
  const calls = new CallControl({
    ...services,
    events: { ...world.events, callStarted: (call) => void started.push(call) },
    relays,
    recorders,
    targets: new TargetStates(() => performance.now()),
    trunks,
    callers: new CallerProof({
      trunks,
      registered: { ofContact: () => undefined, ofSource: () => undefined },
      config,
      logins: new Map(),
      clock: () => 0,
      onProof: () => {},
    }),
    policies,
    admission: new CallAdmission(registry, relays, policies, { problem: undefined }),
    guard: new CallGuard({}, services.clock),
    registry,
    recorderOf: () => ({ profile: dynamics365, accountId: 'AC0123' }),
    termsOf: () => usualTerms,
  });
  const header = (name: string) => (name === 'from' ? `<sip:${calling}@near>` : undefined);
  calls.take(Object.assign(Object.create(world.invite), { requestUri: `sip:${called}@sbc`, header }));
  await world.until(() => world.did.some((what) => what.startsWith('recorder ')));
  await calls.endAll(drained(), AbortSignal.timeout(5_000));
  const [sdp = '', metadata = ''] = bodyParts(body.contentType, body.body).map((part) => part.body.toString());
  return {
    facts: started[0],
    offerer,
    forked,
    answerer: world.did.find((d) => d.startsWith('media answer')),
    sdp,
    metadata,
  };
}

const rows: readonly [side: Party, calling: string, called: string, reason: string, seller: string, role: string][] = [
  ['customer', '+15557777', '+15550001', 'listed', 'Ada Berger', 'inbound'],
  ['customer', '+15559999', '+15557777', 'listed', 'Bob Stone', 'outbound'],
  ['seller', '+15559999', '+15557777', 'listed', 'Bob Stone', 'outbound'],
  ['seller', '+15557777', '+15550001', 'listed', 'Ada Berger', 'inbound'],
  ['seller', '+15559999', '+15550001', 'listed-both', 'Ada Berger', 'inbound'],
  ['customer', '+15559999', '+15550001', 'listed-both', 'Ada Berger', 'inbound'],
];
for (const [side, calling, called, reason, seller, role] of rows) {
  test(`from the ${side}'s trunk, ${calling} calls ${called}: ${reason}, recorded as ${role} of ${seller}`, async () => {
    const { facts, offerer, forked, answerer, sdp, metadata } = await recorded(side, calling, called);
    const customer = role === 'inbound' ? calling : called;
    assert.deepEqual([facts?.decision.reason, facts?.direction], [reason, role]);
    assert.deepEqual([facts?.parties.seller.name, facts?.parties.customer.user], [seller, customer]);
    // The calling party offers; the first fork is the customer's voice, whoever that is.
    assert.equal(offerer, role === 'inbound' ? 'customer' : 'seller');
    assert.match(answerer ?? '', role === 'inbound' ? /answer seller/ : /answer customer/);
    assert.deepEqual(forked, ['customer', 'seller']);
    assert.ok(sdp.indexOf('a=label:inbound') < sdp.indexOf('a=label:outbound'));
    assert.match(metadata, new RegExp(`name="Role" value="${role}"`));
    const caller = role === 'inbound' ? calling : seller;
    assert.match(metadata, new RegExp(`name="CallerDisplayName" value="${caller.replace('+', '\\+')}"`));
  });
}
