// The API's routes in one table: the router and the OpenAPI document are both made of it, so that neither knows what the other does not.

import type { Recorder } from '@sidestream/proto/calls/v1';
import type { CallRecord } from '@sidestream/proto/records/v1';
import { SidestreamError } from '@sidestream/service';
import type { Context } from 'hono';
import { z } from 'zod';
import type { GatewayConfig } from '../config.js';
import { shownCall, shownLost } from '../domain/call-text.js';
import { shownRecord } from '../domain/record-text.js';
import type { User } from '../domain/user.js';
import {
  callSchema,
  callsSchema,
  endedSchema,
  explanationSchema,
  policiesSchema,
  recordersSchema,
  recordSchema,
  recordsSchema,
  registrationsSchema,
  relaysSchema,
} from './api-schemas.js';
import { type Control, callActions } from './control.js';
import type { LastRecordsQuery } from './last-records.js';
import type { RelayLease } from './relays.js';

export interface ApiParts {
  readonly control: Control;
  readonly relays: () => ReadonlyMap<string, RelayLease>;
  readonly records: (query: LastRecordsQuery, user: User, signal: AbortSignal) => Promise<CallRecord[]>;
  /** @throws SidestreamError `not-found` */
  readonly record: (callId: string, user: User, signal: AbortSignal) => Promise<CallRecord>;
  readonly providers: GatewayConfig['providers'];
}

export interface ApiRequest {
  readonly user: User;
  /** Value of a path or query parameter; empty where it is absent. */
  readonly value: (name: string) => string;
  /** The body as JSON; undefined where there is none. */
  readonly body: unknown;
  /** Whoever asked has gone. */
  readonly signal: AbortSignal;
}

export interface ApiRoute {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/calls/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Whether it answers whom somebody is, unmasked, without being asked for that. */
  readonly reveals?: true;
  readonly body?: z.ZodType;
  /** What is answered. */
  readonly answer: z.ZodType;
  readonly work: (request: ApiRequest) => Promise<object>;
}

const reveal = { reveal: 'true: parties are shown as they are' };
const activity = { activity: 'true: with the activity of each voice, as it is measured while somebody looks' };
const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(500),
  before: z.iso.datetime({ offset: true }).optional(),
});
const endSchema = z.strictObject({ reason: z.string().max(100).default('') });

export function apiRoutes({ control, relays, records, record, providers }: ApiParts): ApiRoute[] {
  const isMeasured = ({ value }: ApiRequest) => value('activity') === 'true';
  const isRevealed = ({ value }: ApiRequest) => value('reveal') === 'true';
  return [
    {
      method: 'get',
      path: '/calls',
      summary: 'the live calls, the instances that have them, and the calls that were lost of late',
      query: { ...reveal, ...activity },
      answer: callsSchema,
      work: async (request) => {
        const { calls, instances, lost } = await control.calls(request.user.tenant, isMeasured(request));
        return {
          calls: calls.map((one) => shownCall(one, isRevealed(request))),
          instances,
          lost: lost.map((one) => shownLost(one, isRevealed(request))),
        };
      },
    },
    {
      method: 'get',
      path: '/calls/{id}',
      summary: 'one live call',
      query: { ...reveal, ...activity },
      answer: callSchema,
      work: async (request) => {
        const seen = await control.call(request.user.tenant, request.value('id'), isMeasured(request));
        return shownCall(seen, isRevealed(request));
      },
    },
    {
      method: 'post',
      path: '/calls/{id}/end',
      summary: 'end a call on both sides',
      body: endSchema,
      answer: endedSchema,
      work: async ({ user, value, body }) => {
        await control.end(user.tenant, value('id'), endSchema.parse(body ?? {}).reason);
        return { ended: true };
      },
    },
    ...callActions.map(
      (action): ApiRoute => ({
        method: 'post',
        path: `/calls/{id}/recording/${action}`,
        summary: `${action} the recording of a call`,
        query: reveal,
        answer: callSchema,
        work: async (request) => {
          const call = await control.record(request.user.tenant, request.value('id'), action);
          return shownCall({ call, silent: false }, isRevealed(request));
        },
      }),
    ),
    {
      method: 'get',
      path: '/recorders',
      summary: "the tenant's recorders as each signalling instance finds them",
      answer: recordersSchema,
      work: async ({ user }) => ({ recorders: (await control.recorders(user.tenant)).map(shownRecorder) }),
    },
    {
      method: 'get',
      path: '/relays',
      summary: 'the media relays and their load',
      answer: relaysSchema,
      work: async () => ({ relays: [...relays()].map(([relay, lease]) => ({ relay, ...lease })) }),
    },
    {
      method: 'get',
      path: '/policies',
      summary: "how the tenant's policy stands",
      answer: policiesSchema,
      work: async ({ user: { tenant } }) => ({
        policies: await (providers[tenant]?.policy ? control.policies(tenant) : control.filePolicies(tenant)),
      }),
    },
    {
      method: 'get',
      path: '/policies/{tenant}/explain',
      summary: 'whether a call of this number or address would be recorded, and why',
      query: { address: 'a number or SIP address' },
      // Whoever asks for a number learns whose it is, and that person's other ones.
      reveals: true,
      answer: explanationSchema,
      work: ({ user: { tenant }, value }) => {
        if (value('tenant') !== tenant) throw new SidestreamError('not-found', 'there is no such tenant');
        return control.explain(tenant, providers[tenant]?.policy ? 'provider' : 'file', value('address'));
      },
    },
    {
      method: 'get',
      path: '/registrations',
      summary: "how the tenant's registration with the provider stands",
      answer: registrationsSchema,
      work: async ({ user: { tenant } }) => ({
        registrations: providers[tenant]?.registration ? await control.registrations(tenant) : [],
      }),
    },
    {
      method: 'get',
      path: '/records',
      summary: 'calls that are over, the newest first; 429 or 503 with Retry-After when too much is read at once',
      query: { ...reveal, limit: '1 to 500; 100', before: 'only calls that ended before this time (ISO 8601)' },
      answer: recordsSchema,
      work: async (request) => {
        const { limit, before } = pageSchema.parse({
          limit: request.value('limit') || 100,
          before: request.value('before') || undefined,
        });
        const { user, signal } = request;
        const query = { tenant: user.tenant, limit, ...(before !== undefined && { before: new Date(before) }) };
        const found = await records(query, user, signal);
        return { records: found.map((one) => shownRecord(one, isRevealed(request))) };
      },
    },
    {
      method: 'get',
      path: '/records/{id}',
      summary: 'one call that is over; 429 or 503 as for the list',
      query: reveal,
      answer: recordSchema,
      work: async (request) => {
        const found = await record(request.value('id'), request.user, request.signal);
        return shownRecord(found, isRevealed(request));
      },
    },
  ];
}

/** The value of a parameter, from the path first. */
export function parameterOf(c: Context): (name: string) => string {
  return (name) => c.req.param(name) ?? c.req.query(name) ?? '';
}

/** What its instance makes of the recorder, in a word. */
const states: Readonly<Record<string, string>> = { closed: 'healthy', 'half-open': 'probing', open: 'avoided' };

function shownRecorder({ breaker, sessions, lastFailure, ...rest }: Recorder & { instance: string }): object {
  const state = states[breaker] ?? 'unknown';
  return { ...rest, state, recordings: sessions, ...(state !== 'healthy' && { reason: lastFailure }) };
}
