// Check `issuers`: who signs the tokens of dialers and operators can be asked for its keys, as the gateway does.
import { readFileSync } from 'node:fs';
import { httpGet } from '@sidestream/service';
import { z } from 'zod';
import { adviceFor } from './advice.js';
import { type Check, type Finding, fail, ok, type Probe } from './check.js';
import type { Examined } from './examined.js';
import { hostOf } from './places.js';
import { reasonOf } from './reason.js';

type Issuer = NonNullable<Examined['config']['gateway']>['issuers'][number];

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string(), use: z.string().optional() })) });
const todo = 'see that the issuer can be reached from here; the gateway takes no token without its keys';

export const issuersCheck: Check = {
  name: 'issuers',
  about: 'discovery and keys of those who sign the tokens for the gateway',
  probes: (examined) =>
    (examined.config.gateway?.issuers ?? []).map((issuer, index): Probe => {
      const where = `gateway.issuers.${index}`;
      return {
        where,
        todo,
        run: async (signal) => {
          const unknown = await examined.blamesName(hostOf(issuer.jwksUri ?? issuer.issuer), where);
          return [unknown ?? (await look(issuer, where, signal))];
        },
      };
    }),
};

async function look({ issuer, jwksUri, trustFile }: Issuer, where: string, signal: AbortSignal): Promise<Finding> {
  try {
    const trust = trustFile && readFileSync(trustFile, 'utf8');
    const at = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const keysAt = jwksUri ?? readDiscovery(await getJson(at, signal, trust), issuer, at);
    return judgeKeys(where, await getJson(keysAt, signal, trust), keysAt);
  } catch (error) {
    signal.throwIfAborted();
    const known =
      error instanceof Misfit ? error.todo : adviceFor(error, { peer: 'the issuer', trust: `${where}.trustFile` });
    return fail(where, reasonOf(error), known);
  }
}

/** An answer that is none, with what to do. */
class Misfit extends Error {
  override readonly name = 'Misfit';
  readonly todo: string;

  constructor(message: string, cure: string) {
    super(message);
    this.todo = cure;
  }
}

async function getJson(url: string, signal: AbortSignal, trust: string | undefined): Promise<unknown> {
  const { status, body } = await httpGet(url, signal, trust);
  if (status !== 200) throw new Misfit(`${url} answers ${status}`, 'check gateway.issuers: issuer and jwksUri');
  try {
    return JSON.parse(body);
  } catch {
    throw new Misfit(`${url} answers with something that is no JSON`, 'check gateway.issuers: issuer and jwksUri');
  }
}

function readDiscovery(document: unknown, issuer: string, at: string): string {
  const { success, data } = discovery.safeParse(document);
  if (!success) throw new Misfit(`${at} is no discovery document`, 'name the issuer, or its jwksUri');
  if (data.issuer !== issuer)
    throw new Misfit(`${at} speaks for ${data.issuer}`, `write the issuer byte for byte: ${data.issuer}`);
  return data.jwks_uri;
}

/** Tokens are signed with RS256 or ES256. */
export function judgeKeys(where: string, document: unknown, at: string): Finding {
  const { success, data } = keySet.safeParse(document);
  if (!success) return fail(where, `${at} has no set of keys`, 'check gateway.issuers: jwksUri');
  const usable = data.keys.filter(({ kty, use }) => ['RSA', 'EC'].includes(kty) && (use ?? 'sig') === 'sig');
  if (usable.length === 0)
    return fail(where, `${at} has no key for RS256 or ES256`, 'have the issuer sign with one of the two');
  return ok(where, `${usable.length} ${usable.length === 1 ? 'key' : 'keys'} at ${at}`);
}
