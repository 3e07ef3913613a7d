// The API's routes in one table: the router and the OpenAPI document are both made of it, so that neither knows what the other does not.
import type { Context } from 'hono';
import { z } from 'zod';
import { shownCall } from '../domain/call-text.js';
import type { User } from '../domain/user.js';
import { type Control, callActions } from './control.js';
import type { RelayLease } from './relays.js';

export interface ApiParts {
  readonly control: Control;
  readonly relays: () => ReadonlyMap<string, RelayLease>;
  readonly policySources: Readonly<Record<string, 'file' | 'provider'>>;
}

export interface ApiRequest {
  readonly user: User;
  /** Value of a path or query parameter; empty where it is absent. */
  readonly value: (name: string) => string;
  /** The body as JSON; undefined where there is none. */
  readonly body: unknown;
}

export interface ApiRoute {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/calls/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: z.ZodType;
  /** What is answered. */
  readonly answer: z.ZodType;
  readonly work: (request: ApiRequest) => Promise<object>;
}

const partySchema = z.object({ uri: z.string(), name: z.string() });
const callSchema = z
  .looseObject({
    callId: z.string(),
    instance: z.string(),
    tenant: z.string(),
    direction: z.enum(['inbound', 'outbound']),
    phase: z.string(),
    calling: partySchema.optional(),
    called: partySchema.optional(),
    recordings: z.array(z.looseObject({ recordingId: z.string(), phase: z.string(), recorder: z.string() })),
  })
  .describe('a live call; parties are masked unless reveal=true');
const oneCall = z.object({ call: callSchema });
const reveal = { reveal: 'true: parties are shown as they are' };
const listOf = (name: string) => z.object({ [name]: z.array(z.looseObject({})) });
const endSchema = z.strictObject({ reason: z.string().max(100).default('') });

export function apiRoutes({ control, relays, policySources }: ApiParts): ApiRoute[] {
  const isRevealed = ({ value }: ApiRequest) => value('reveal') === 'true';
  return [
    {
      method: 'get',
      path: '/calls',
      summary: 'the live calls; silent names instances that did not answer',
      query: reveal,
      answer: z.object({ calls: z.array(callSchema), silent: z.array(z.string()) }),
      work: async (request) => {
        const { calls, silent } = await control.calls(request.user.tenant);
        return { calls: calls.map((call) => shownCall(call, isRevealed(request))), silent };
      },
    },
    {
      method: 'get',
      path: '/calls/{id}',
      summary: 'one live call',
      query: reveal,
      answer: oneCall,
      work: async (request) => {
        const call = await control.call(request.user.tenant, request.value('id'));
        return { call: shownCall(call, isRevealed(request)) };
      },
    },
    {
      method: 'post',
      path: '/calls/{id}/end',
      summary: 'end a call on both sides',
      body: endSchema,
      answer: z.object({ ended: z.literal(true) }),
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
        answer: oneCall,
        work: async (request) => {
          const call = await control.record(request.user.tenant, request.value('id'), action);
          return { call: shownCall(call, isRevealed(request)) };
        },
      }),
    ),
    {
      method: 'get',
      path: '/recorders',
      summary: "the tenant's recorders as each signalling instance finds them",
      answer: listOf('recorders'),
      work: async ({ user }) => ({ recorders: await control.recorders(user.tenant) }),
    },
    {
      method: 'get',
      path: '/relays',
      summary: 'the media relays and their load',
      answer: listOf('relays'),
      work: async () => ({ relays: [...relays()].map(([id, relay]) => ({ id, ...relay })) }),
    },
    {
      method: 'get',
      path: '/policies',
      summary: "how the tenant's policy stands",
      answer: listOf('policies'),
      work: async ({ user: { tenant } }) => ({
        policies: policySources[tenant] === 'provider' ? await control.policies(tenant) : [{ tenant, source: 'file' }],
      }),
    },
    {
      method: 'get',
      path: '/policies/{tenant}/explain',
      summary: 'whether a call of this number or address would be recorded, and why',
      query: { address: 'a number or SIP address' },
      answer: z.looseObject({ record: z.boolean(), reason: z.string() }),
      work: ({ user, value }) => control.explain(user.tenant, value('tenant'), value('address')),
    },
    {
      method: 'get',
      path: '/registrations',
      summary: "how the tenant's registration with the provider stands",
      answer: listOf('registrations'),
      work: async ({ user: { tenant } }) => ({ registrations: await control.registrations(tenant) }),
    },
  ];
}

/** The value of a parameter, from the path first. */
export function parameterOf(c: Context): (name: string) => string {
  return (name) => c.req.param(name) ?? c.req.query(name) ?? '';
}
