/**
 * Ways in which Entra and the provider API can misbehave, so that a client's defences can be tried. A fault is a set of hooks; a
 * new misbehaviour is a new function here and nothing elsewhere.
 */
import { entraError } from './entra.js';
import { unauthorized } from './provider-api.js';
import { problem, type Reply } from './reply.js';

export type Place = 'entra' | 'tenants' | 'users';

/** The request that a hook is asked about. */
export interface FaultContext {
  readonly place: Place;
  readonly url: URL;
  /** Origin of a listener that the client has no business with. */
  readonly foreignOrigin: string;
  /** What the clock of the asked side shows. */
  readonly now: Date;
}

/** Moments at which the simulator may differ from a good one. All hooks are optional. */
export interface ProviderFault {
  /** Answers instead of doing what was asked. */
  instead?(context: FaultContext): Reply | undefined;
  /** Changes the answer to what was done. */
  change?(reply: Reply, context: FaultContext): Reply;
  /** Changes the claims of a token. */
  claims?(claims: Record<string, unknown>): Record<string, unknown>;
  /** How far the clocks are ahead of the true one. */
  readonly skewMs?: { readonly entra?: number; readonly api?: number };
}

/** Good behaviour: no hooks. */
export const faultless: ProviderFault = {};

type Side = 'entra' | 'api';

function at(side: Side, { place }: FaultContext): boolean {
  return (place === 'entra') === (side === 'entra');
}

/** Answers this status, the request undone. */
export function answerStatus(side: Side, status: number): ProviderFault {
  return { instead: (context) => (at(side, context) ? problem(status, 'Simulated failure.') : undefined) };
}

/** Answers 429 with Retry-After, in seconds or as a date of the simulated clock. */
export function throttle(side: Side, seconds: number, form: 'seconds' | 'date' = 'seconds'): ProviderFault {
  return {
    instead: (context) => {
      if (!at(side, context)) return undefined;
      const date = new Date(context.now.getTime() + seconds * 1000).toUTCString();
      return { ...problem(429, 'Slow down.'), headers: { 'retry-after': form === 'date' ? date : String(seconds) } };
    },
  };
}

/** Sends the browser elsewhere, as captive portals and moved services do. */
export function redirect(side: Side): ProviderFault {
  return {
    instead: (context) =>
      at(side, context)
        ? { status: 307, headers: { location: context.foreignOrigin + context.url.pathname } }
        : undefined,
  };
}

/** Does as asked and changes the answer. */
export function changeAnswer(side: Side, change: (reply: Reply) => Reply): ProviderFault {
  return { change: (reply, context) => (at(side, context) ? change(reply) : reply) };
}

/** Changes the body of the good users answers. */
export function changeUsers(change: (context: FaultContext) => object): ProviderFault {
  return {
    change: (reply, context) =>
      context.place === 'users' && reply.status === 200 ? { ...reply, body: change(context) } : reply,
  };
}

/** Entra refuses every token request with this AADSTS number. */
export function refuseInEntra(number: number, text: string): ProviderFault {
  return {
    instead: ({ place, url, now }) =>
      place === 'entra' && url.pathname.endsWith('/token') ? entraError(number, text, now) : undefined,
  };
}

/** The API refuses the bearer as expired, whatever it is. */
export function refuseToken(): ProviderFault {
  return {
    instead: ({ place }) => (place === 'entra' ? undefined : unauthorized('invalid_token', 'The token expired')),
  };
}

/** 409 to every registration. */
export function conflict(): ProviderFault {
  return {
    instead: ({ place }) => (place === 'tenants' ? problem(409, 'The tenant is registered already.') : undefined),
  };
}

/** Each page has a link to one more page that was not there before. */
export function endlessPaging(): ProviderFault {
  return changeUsers(({ url }) => {
    const page = Number(url.searchParams.get('page') ?? 1);
    return { value: [{ id: `user-${page}` }], '@odata.nextLink': `${url.pathname}?page=${page + 1}` };
  });
}

/** Two pages of one user each. @param more what the first one has besides, made of the link to the second */
export function twoPages(more: (next: string) => object): ProviderFault {
  return changeUsers(({ url }) =>
    url.searchParams.has('page') ? { value: [{ id: 'user-2' }] } : { value: [{ id: 'user-1' }], ...more('?page=2') },
  );
}

/** Entra's discovery document names the token endpoint of somebody else. */
export function foreignTokenEndpoint(): ProviderFault {
  return {
    change: (reply, { place, url, foreignOrigin }) =>
      place === 'entra' && url.pathname.endsWith('/openid-configuration') && typeof reply.body === 'object'
        ? { ...reply, body: { ...reply.body, token_endpoint: `${foreignOrigin}/oauth2/v2.0/token` } }
        : reply,
  };
}

/** Several at once, in order: the first answer counts, changes are applied one after another, clocks add up. */
export function combineFaults(...faults: readonly ProviderFault[]): ProviderFault {
  const skew = (side: Side) => faults.reduce((sum, { skewMs }) => sum + (skewMs?.[side] ?? 0), 0);
  return {
    instead: (context) => {
      for (const fault of faults) {
        const reply = fault.instead?.(context);
        if (reply !== undefined) return reply;
      }
      return undefined;
    },
    change: (reply, context) => faults.reduce((r, fault) => fault.change?.(r, context) ?? r, reply),
    claims: (claims) => faults.reduce((c, fault) => fault.claims?.(c) ?? c, claims),
    skewMs: { entra: skew('entra'), api: skew('api') },
  };
}

/** The fault for the first `times` answers that it touches; afterwards all is well. */
export function limitFault(fault: ProviderFault, times: number): ProviderFault {
  let left = times;
  const spend = <T>(value: T, touched: boolean): T => {
    if (touched) left -= 1;
    return value;
  };
  return {
    ...fault,
    instead: (context) => {
      const reply = left > 0 ? fault.instead?.(context) : undefined;
      return spend(reply, reply !== undefined);
    },
    change: (reply, context) => {
      const changed = left > 0 ? (fault.change?.(reply, context) ?? reply) : reply;
      return spend(changed, changed !== reply);
    },
  };
}
