/** Faults by name, for command lines and for tests that switch them at run time. */
import {
  answerStatus,
  changeAnswer,
  changeUsers,
  combineFaults,
  conflict,
  endlessPaging,
  foreignTokenEndpoint,
  limitFault,
  type ProviderFault,
  redirect,
  refuseInEntra,
  refuseToken,
  throttle,
  twoPages,
} from './provider-fault.js';
import type { Reply } from './reply.js';

type Make = (value: number) => ProviderFault;

/** What both sides can do: by this name the API does it, with `entra-` before it Entra. */
const ofBoth: Readonly<Record<string, (side: 'entra' | 'api') => Make>> = {
  status: (side) => (value) => answerStatus(side, value || 500),
  throttle: (side) => (value) => throttle(side, value),
  'throttle-date': (side) => (value) => throttle(side, value, 'date'),
  slow: (side) => (value) => changeAnswer(side, (reply) => ({ ...reply, delayMs: value || 600_000 })),
  drop: (side) => () => changeAnswer(side, (reply) => ({ ...reply, cut: 'before' })),
  truncated: (side) => () => changeAnswer(side, (reply) => ({ ...reply, cut: 'within' })),
  garbage: (side) => () => changeAnswer(side, (reply) => ({ ...reply, body: '{"value":[{"id":\u0000\ufffd' })),
  html: (side) => () => changeAnswer(side, asPage),
  redirect: (side) => () => redirect(side),
};

const ofOne: Readonly<Record<string, Make>> = {
  'wrong-shape': () => changeUsers(() => ({ status: 'ok', count: 2 })),
  'error-body': () => changeUsers(() => ({ error: { code: 'ServiceBusy', message: 'Try again.' }, value: [] })),
  'two-lists': () => changeUsers(() => ({ value: [], users: [{ id: 'user-1' }] })),
  'count-mismatch': () => twoPages((next) => ({ '@odata.count': 5000, nextLink: next })),
  'unknown-next': () => changeUsers(() => ({ value: [{ id: 'user-1' }], nextPageToken: 'page-2' })),
  'nested-next': () => twoPages((next) => ({ links: { next } })),
  'endless-paging': endlessPaging,
  'circular-paging': () => changeUsers(({ url }) => ({ value: [], nextLink: url.href })),
  'foreign-next': () =>
    changeUsers(({ url, foreignOrigin }) => ({ value: [], nextLink: foreignOrigin + url.pathname })),
  conflict,
  'refuse-token': refuseToken,
  'revoked-consent': () => ({ claims: ({ roles: _roles, ...rest }) => rest }),
  'wrong-audience': () => ({ claims: (claims) => ({ ...claims, aud: '00000003-0000-0000-c000-000000000000' }) }),
  'expired-secret': () => refuseInEntra(7000222, 'The provided client secret keys for the app are expired.'),
  'wrong-secret': () => refuseInEntra(7000215, 'Invalid client secret provided.'),
  'no-resource': () => refuseInEntra(500011, 'The resource principal was not found in the tenant.'),
  'unknown-app': () => refuseInEntra(700016, 'The application was not found in the directory.'),
  'unknown-tenant': () => refuseInEntra(90002, 'The tenant was not found.'),
  'app-disabled': () => refuseInEntra(7000112, 'The application is disabled.'),
  'foreign-token-endpoint': foreignTokenEndpoint,
  'clock-skew': (seconds) => ({ skewMs: { entra: seconds * 1000, api: seconds * 1000 } }),
  'api-clock-skew': (seconds) => ({ skewMs: { api: seconds * 1000 } }),
};

const named: Readonly<Record<string, Make>> = {
  ...Object.fromEntries(
    Object.entries(ofBoth).flatMap(([name, make]) => [
      [name, make('api')],
      [`entra-${name}`, make('entra')],
    ]),
  ),
  ...ofOne,
};

/** Names for command lines, of which `status`, `throttle`, `slow` and the skews take a value. */
export const providerFaultNames: readonly string[] = Object.keys(named);

/**
 * Reads names such as `status=503`, `slow=2000`, `conflict`, several separated by commas. `status=503x2` does it for the first two
 * answers that it touches. RangeError names the unknown one.
 */
export function parseProviderFault(text: string): ProviderFault {
  const parts = text.split(',').filter((part) => part !== '');
  return combineFaults(
    ...parts.map((part) => {
      const [, name = '', value = '0', times] = /^([a-z-]+?)(?:=(-?\d{1,9}))?(?:x(\d{1,4}))?$/.exec(part) ?? [];
      const make = Object.hasOwn(named, name) ? named[name] : undefined;
      if (make === undefined)
        throw new RangeError(`unknown fault ${JSON.stringify(part)}; there are ${providerFaultNames.join(', ')}`);
      return times === undefined ? make(Number(value)) : limitFault(make(Number(value)), Number(times));
    }),
  );
}

function asPage(reply: Reply): Reply {
  const body =
    '<!DOCTYPE html>\n<html><head><title>Service Unavailable</title></head><body><h1>Sorry</h1></body></html>';
  return { ...reply, headers: { ...reply.headers, 'content-type': 'text/html; charset=utf-8' }, body };
}
