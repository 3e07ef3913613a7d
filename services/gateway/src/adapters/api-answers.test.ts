// Every route's answer is what the OpenAPI document says, with all fields that the services behind it may fill and with none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Call,
  ExplainDecisionResponse,
  GetCallResponse,
  ListCallsResponse,
  ListPoliciesResponse,
  ListRecordersResponse,
} from '@sidestream/proto/calls/v1';
import { Direction, Result } from '@sidestream/proto/events/v1';
import { ExplainResponse, GetStatusResponse as PolicyStatus } from '@sidestream/proto/policy/v1';
import { CallRecord } from '@sidestream/proto/records/v1';
import { GetStatusResponse as RegistrationStatus } from '@sidestream/proto/registration/v1';
import { z } from 'zod';
import { apiRoutes } from './api-routes.js';
import { Control } from './control.js';
import { openApiDocument } from './openapi.js';

const now = new Date();
const party = { uri: 'sip:+4930901820@carrier.example', name: 'Ada' };
const decision = { record: true, reason: 'listed', policyRevision: '1', recorders: ['eastus'] };
const termination = { result: Result.SUCCESS, reason: 'hangup', detail: 'd' };
const voices = [{ party: 'customer', packetsPerSecond: 49.9 }];
const full = Call.fromPartial({
  ...{ callId: 'c1', instance: 's1', tenant: 'contoso', trunk: 'carrier', direction: Direction.OUTBOUND },
  ...{ phase: 'talking', startedAt: now, answeredAt: now, calling: party, called: party, seller: 'ada', decision },
  ...{ missing: { reason: 'media-stalled', since: now }, voices },
  recordings: [
    { recordingId: 'r', recorderCallId: 'rc', phase: 'paused', recorder: 'eastus', pausedBy: ['operator'], voices },
  ],
});
const bare = Call.fromPartial({ callId: 'c2', tenant: 'contoso' });
const record = CallRecord.fromPartial({
  ...{ version: 1, callId: 'c3', tenant: 'contoso', seller: 'ada', direction: Direction.INBOUND },
  ...{ startedAt: now, answeredAt: now, endedAt: now, calling: party, called: party, decision, termination },
  recordings: [
    {
      recordingId: 'r',
      attempts: [{ recorder: 'eastus', acceptedAt: now }],
      startedAt: now,
      endedAt: now,
      termination,
    },
  ],
});
const policyUser = { id: 'ada', name: 'Ada', upn: 'ada@x.example', numbers: ['+49301'], addresses: ['ada@pbx'] };
const explained = ExplainResponse.fromPartial({ record: true, reason: 'listed', seller: policyUser, checkedAt: now });
const policy = { tenant: 'contoso', revision: '1', users: 3, fetchedAt: now, checkedAt: now, lastErrorAt: now };
const registration = { tenant: 'contoso', state: 'applied', appliedAt: now, certificateExpiresAt: now };
const recorder = { tenant: 'contoso', recorder: 'eastus', region: 'eu', sessions: 2, lastFailure: 'OPTIONS: 503' };

/** What the services answer, by the name of the method: as it comes from the wire, with all its fields. */
const answers: Readonly<Record<string, object>> = {
  listCalls: ListCallsResponse.fromPartial({ instance: 's1', calls: [full, bare] }),
  getCall: GetCallResponse.fromPartial({ call: full }),
  endCall: {},
  startRecording: { call: full },
  pauseRecording: { call: full },
  resumeRecording: { call: full },
  stopRecording: { call: full },
  listRecorders: ListRecordersResponse.fromPartial({
    instance: 's1',
    recorders: ['closed', 'half-open', 'open', ''].map((breaker) => ({ ...recorder, breaker })),
  }),
  listPolicies: ListPoliciesResponse.fromPartial({
    policies: [{ tenant: 'contoso' }, { tenant: 'contoso', revision: '1', users: 1, since: now }],
  }),
  explainDecision: ExplainDecisionResponse.fromPartial({ explained }),
  explain: ExplainResponse.fromPartial({ reason: 'not-listed' }),
};
const policyStatus = PolicyStatus.fromPartial({
  tenants: [{ tenant: 'contoso' }, { ...policy, nextSyncAt: now, stale: true, problems: ['p'], problemCount: 1 }],
});
const registrationStatus = RegistrationStatus.fromPartial({
  tenants: [
    { tenant: 'contoso', state: 'never' },
    { ...registration, lastErrorAt: now, nextAttemptAt: now, warnings: [{ code: 'self-signed', text: 't' }] },
  ],
});

/** The one instance of a service, which answers every method so. */
function serviceOf(answerOf: (method: string) => object | undefined) {
  const client = new Proxy(
    {},
    {
      get: (_, method) => (_request: object, _metadata: object, _options: object, done: (...of: unknown[]) => void) => {
        const answer = answerOf(String(method));
        assert.ok(answer, `nobody knows ${String(method)}`);
        done(null, answer);
      },
    },
  );
  const one = { id: 's1', client };
  return { known: [one], all: () => [one], active: () => one };
}

function routesOf(source: 'provider' | 'file') {
  const lost = [full, bare].map((call) => ({ call, at: now }));
  const control = new Control({
    signalling: serviceOf((method) => answers[method]),
    policySync: serviceOf((method) => (method === 'getStatus' ? policyStatus : answers[method])),
    registration: serviceOf(() => registrationStatus),
    known: { of: () => [], call: () => undefined },
    rollCall: { gone: new Map([['s2', now]]), lost: () => lost, heard: () => undefined },
  } as never);
  const lease = { region: 'eu', address: '127.0.0.1:1', sessions: 1, capacity: 2, draining: false };
  return apiRoutes({
    control,
    relays: () => new Map([['m1', lease]]),
    records: async () => [record, CallRecord.fromPartial({ callId: 'c4', tenant: 'contoso' })],
    record: async () => record,
    providers: { contoso: { policy: source === 'provider', registration: true } },
  });
}

test('the document has every route that operators need', () => {
  const { paths } = openApiDocument(routesOf('file')) as { paths: Record<string, Record<string, object>> };
  const there = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path.replace('/api/v1', '')}`),
  );
  const actions = ['start', 'pause', 'resume', 'stop'].map((action) => `post /calls/{id}/recording/${action}`);
  const expected = [
    ...['get /openapi.json', 'get /events', 'get /calls', 'get /calls/{id}', 'post /calls/{id}/end', ...actions],
    ...['get /recorders', 'get /relays', 'get /policies', 'get /policies/{tenant}/explain', 'get /registrations'],
    ...['get /records', 'get /records/{id}'],
  ];
  assert.deepEqual(there, expected);
});

for (const source of ['provider', 'file'] as const)
  for (const reveal of ['true', ''])
    test(`every answer is as its document says: policy from a ${source}, parties ${reveal ? 'revealed' : 'masked'}`, async () => {
      const user = { tenant: 'contoso', seller: 'olga', operator: true, expiresAtMs: 0 };
      const given: Record<string, string> = {
        reveal,
        activity: reveal,
        tenant: 'contoso',
        address: '+49301',
        id: 'c1',
      };
      for (const { method, path, answer, work } of routesOf(source)) {
        const { signal } = new AbortController();
        const said = await work({ user, value: (name) => given[name] ?? '', body: {}, signal });
        const text = JSON.stringify(said);
        // As clients read it: a field that the document does not know is refused.
        const schema = z.fromJSONSchema(z.toJSONSchema(answer) as Parameters<typeof z.fromJSONSchema>[0]);
        const { error } = schema.safeParse(JSON.parse(text));
        assert.equal(error && z.prettifyError(error), undefined, `${method} ${path}: ${text}`);
        if (/^.(calls|records)/.test(path))
          assert.equal(text.includes(party.uri), reveal !== '' && !path.endsWith('end'));
      }
    });
