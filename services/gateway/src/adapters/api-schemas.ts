// What the API answers, field by field: the OpenAPI document is made of it, and tests hold every answer against that.
import { z } from 'zod';

/** ISO 8601. */
const time = z.iso.datetime();
const count = z.int().min(0);

const party = z.object({ uri: z.string(), name: z.string() }).describe('masked unless reveal=true');
const decision = z.object({
  record: z.boolean(),
  reason: z.string(),
  policyRevision: z.string(),
  recorders: z.array(z.string()),
});
const termination = z.object({
  result: z.enum(['success', 'client-error', 'server-error', 'upstream-error', 'indeterminate']),
  reason: z.string(),
  detail: z.string(),
});
const direction = z.enum(['inbound', 'outbound']).describe("from the seller's side: inbound, the customer calls");

const voices = z
  .array(z.object({ party: z.enum(['customer', 'seller']), packetsPerSecond: z.number() }))
  .describe(
    'with activity=true: what comes from each party, or leaves for the recorder, now; empty where it is not known',
  );

/** Of a live call and of a lost one. */
const seen = {
  callId: z.string(),
  instance: z.string().describe('the signalling instance that has it'),
  tenant: z.string(),
  trunk: z.string().describe('from which it came'),
  direction,
  startedAt: time.optional(),
  answeredAt: time.optional(),
  calling: party.optional(),
  called: party.optional(),
  seller: z.string().describe('id in the policy; empty if none was named'),
  decision: decision.optional(),
  missing: z
    .object({ reason: z.string(), since: time })
    .optional()
    .describe('the call should be recorded now and is not; absent while nothing is missing'),
  recordings: z.array(
    z.object({
      recordingId: z.string(),
      recorderCallId: z.string(),
      phase: z.string(),
      recorder: z.string(),
      pausedBy: z.array(z.string()),
      voices,
    }),
  ),
};

export const callSchema = z.object({
  ...seen,
  phase: z.string(),
  voices,
  silent: z.boolean().describe('its instance does not answer: this is what the events have told of it'),
});

const lost = z
  .object({ ...seen, endedAt: time.describe('when its instance was gone, as far as is known'), termination })
  .describe('a call that has gone with its instance: nobody knows how it ended');

const instance = z.object({
  instance: z.string(),
  state: z
    .enum(['live', 'silent', 'gone'])
    .describe('silent: it does not answer, and its lease lives, or has ended only just now; gone: its calls are lost'),
  calls: count.describe("the tenant's live calls that it has, as far as is known"),
});

export const callsSchema = z.object({
  calls: z.array(callSchema),
  instances: z.array(instance).describe('of signalling'),
  lost: z.array(lost).describe('the newest first, for an hour'),
});

export const endedSchema = z.object({ ended: z.literal(true) });

export const recordersSchema = z.object({
  recorders: z.array(
    z.object({
      instance: z.string().describe('the signalling instance that finds it so'),
      tenant: z.string(),
      recorder: z.string(),
      region: z.string(),
      place: count.describe("in the tenant's list; equals share one"),
      state: z.enum(['healthy', 'probing', 'avoided', 'unknown']),
      recordings: count,
      reason: z.string().optional().describe('the last thing that went wrong; absent while it is healthy'),
    }),
  ),
});

export const relaysSchema = z.object({
  relays: z.array(
    z.object({
      relay: z.string(),
      region: z.string(),
      address: z.string(),
      sessions: count,
      capacity: count,
      draining: z.boolean(),
    }),
  ),
});

const policy = z.object({
  tenant: z.string(),
  source: z.enum(['provider', 'file']),
  revision: z.string().describe('empty while there is none'),
  users: count,
  unmatched: count.optional().describe('users without any number or address'),
  bytes: count.optional(),
  fetchedAt: time.optional().describe('of a file: since when it is in use'),
  checkedAt: time.optional(),
  stale: z.boolean(),
  staleRule: z.string(),
  maxAgeMs: count.optional(),
  lastError: z.string().optional(),
  lastErrorAt: time.optional(),
  nextSyncAt: time.optional(),
  problems: z.array(z.string()).optional(),
  problemCount: count.optional(),
});
export const policiesSchema = z.object({ policies: z.array(policy) });

export const explanationSchema = z.object({
  record: z.boolean(),
  reason: z.string(),
  seller: z
    .object({
      id: z.string(),
      name: z.string(),
      upn: z.string(),
      numbers: z.array(z.string()),
      addresses: z.array(z.string()),
    })
    .optional(),
  matched: z.string().describe('what of the policy matched'),
  revision: z.string(),
  checkedAt: time.optional(),
  recorders: z.array(z.string()),
  explanation: z.string().describe('the decision in one sentence'),
});

export const registrationsSchema = z.object({
  registrations: z.array(
    z.object({
      tenant: z.string(),
      state: z.string(),
      contentHash: z.string(),
      appliedAt: time.optional(),
      lastError: z.string(),
      lastErrorAt: time.optional(),
      nextAttemptAt: time.optional(),
      certificateSubject: z.string(),
      certificateIssuer: z.string(),
      certificateExpiresAt: time.optional(),
      warnings: z.array(z.object({ code: z.string(), text: z.string() })),
    }),
  ),
});

const durationMs = z.number().min(0);
export const recordSchema = z.object({
  callId: z.string(),
  tenant: z.string(),
  seller: z.string(),
  direction,
  startedAt: time.optional(),
  answeredAt: time.optional(),
  endedAt: time.optional(),
  durationMs,
  calling: party,
  called: party,
  decision: decision.optional(),
  verdict: z.string(),
  termination: termination.optional(),
  recordings: z.array(
    z.object({
      recordingId: z.string(),
      recorder: z.string(),
      durationMs,
      gapMs: durationMs,
      termination: termination.optional(),
    }),
  ),
});
export const recordsSchema = z.object({ records: z.array(recordSchema) });
