// What the schema can't say of the web face: tenants that must be there, issuers that must differ, what would be in clear.
import { isLoopback } from '../address.js';
import type { ConfigProblem } from './config-error.js';
import { entries, has, type Loose, loose, text } from './loose.js';

/** Checks a document, of any shape. */
export function* checkGateway(config: Loose): Generator<ConfigProblem> {
  const gateway = loose(config['gateway']);
  const listen = text(gateway['listen']);
  if (listen !== undefined && gateway['tls'] === undefined && !isLoopback(hostOf(listen)))
    yield { path: 'gateway.listen', message: `'${listen}' is not loopback: gateway.tls is needed` };
  const seen = new Map<string, string>();
  for (const [index, issuer] of entries(gateway['issuers'])) {
    const path = `gateway.issuers.${index}`;
    const tenant = text(issuer['tenant']);
    if (tenant !== undefined && !has(config['tenants'], tenant))
      yield { path: `${path}.tenant`, message: `no tenant '${tenant}'` };
    const name = text(issuer['issuer']);
    const other = name === undefined ? undefined : seen.get(name);
    if (other !== undefined) yield { path: `${path}.issuer`, message: `is the same as ${other}` };
    if (name !== undefined) seen.set(name, `${path}.issuer`);
    yield* clearUrl(`${path}.issuer`, issuer['issuer']);
    yield* clearUrl(`${path}.jwksUri`, issuer['jwksUri']);
  }
  yield* clearUrl('gateway.console.authority', loose(gateway['console'])['authority']);
  yield* clearUrl('gateway.publicUrl', gateway['publicUrl']);
}

function* clearUrl(path: string, value: unknown): Generator<ConfigProblem> {
  const host = /^http:\/\/(\[[^\]]+\]|[^:/]+)/.exec(text(value) ?? '')?.[1];
  if (host !== undefined && !isLoopback(host.replace(/[[\]]/g, '')))
    yield { path, message: `'${host}' is not loopback: it must be https` };
}

function hostOf(listen: string): string {
  return listen.replace(/:\d+$/, '').replace(/[[\]]/g, '');
}
