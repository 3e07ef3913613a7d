/** Enough of Entra for the client-credentials grant: discovery and the token endpoint of one tenant that knows one app. */
import { randomUUID } from 'node:crypto';
import { checkProof } from './client-proof.js';
import type { ProviderFault } from './provider-fault.js';
import type { ReportFinding } from './provider-finding.js';
import type { SimulatedApp } from './provider-options.js';
import type { Reply } from './reply.js';
import type { TokenMint } from './token-mint.js';

export interface EntraParts {
  readonly tenantId: string;
  readonly app: SimulatedApp;
  readonly resourceAppId: string;
  readonly mint: TokenMint;
}

/** Entra's error answer: the number says it all, as in `AADSTS7000222`. */
export function entraError(number: number, text: string, now: Date): Reply {
  const isClient = [7000215, 7000222, 7000218, 700027, 700024].includes(number);
  const [trace, correlation] = [randomUUID(), randomUUID()];
  const timestamp = now.toISOString().replace('T', ' ').replace(/\..*/, 'Z');
  return {
    status: isClient ? 401 : 400,
    body: {
      error: isClient ? 'invalid_client' : number === 700016 ? 'unauthorized_client' : 'invalid_request',
      error_description: `AADSTS${number}: ${text} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [number],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
    },
  };
}

export class Entra {
  readonly #parts: EntraParts;

  constructor(parts: EntraParts) {
    this.#parts = parts;
  }

  /** Whether a path is Entra's, in whatever tenant. */
  static owns(path: string): boolean {
    return /\/oauth2\/v2\.0\/token$|\/v2\.0\/\.well-known\/openid-configuration$|^\/common\/discovery\/instance$/.test(
      path,
    );
  }

  async answer(url: URL, body: string, fault: ProviderFault, now: Date, report: ReportFinding): Promise<Reply> {
    const [, tenant = ''] = url.pathname.split('/');
    if (tenant.toLowerCase() !== this.#parts.tenantId.toLowerCase()) {
      report('token-tenant', `The tenant is ${this.#parts.tenantId}, not ${tenant}.`);
      return entraError(90002, `Tenant '${tenant}' not found.`, now);
    }
    const base = `${url.origin}/${tenant}`;
    if (url.pathname.endsWith('/openid-configuration')) return { status: 200, body: discovery(base) };
    return await this.#token(new URLSearchParams(body), `${base}/oauth2/v2.0/token`, fault, now, report);
  }

  async #token(
    form: URLSearchParams,
    endpoint: string,
    fault: ProviderFault,
    now: Date,
    report: ReportFinding,
  ): Promise<Reply> {
    const { app, resourceAppId, mint, tenantId } = this.#parts;
    if (form.get('client_id') !== app.clientId) {
      report('token-client', `The app is ${app.clientId}, not ${form.get('client_id')}.`);
      return entraError(700016, `Application '${form.get('client_id')}' was not found in the directory.`, now);
    }
    if (form.get('grant_type') !== 'client_credentials') {
      report('token-grant', 'grant_type must be client_credentials.');
      return entraError(900144, 'The grant type is not supported.', now);
    }
    const scope = (form.get('scope') ?? '').split(' ').find((one) => one.endsWith('/.default')) ?? '';
    if (scope === '') {
      report('token-scope', 'scope must be <resource>/.default.');
      return entraError(1002012, 'The provided value for scope is not valid: it must end in /.default.', now);
    }
    const resource = scope.slice(0, -'/.default'.length).replace(/^api:\/\//, '');
    if (resource !== resourceAppId) {
      report('token-scope', `The scope is of the resource ${resource}, not of ${resourceAppId}.`);
      return entraError(500011, `The resource principal named ${resource} was not found in the tenant.`, now);
    }
    const refusal = await checkProof(form, app, endpoint, now);
    if (refusal !== undefined) {
      report('token-credential', refusal.text);
      return entraError(refusal.number, refusal.text, now);
    }
    const claims = { aud: resourceAppId, tid: tenantId, azp: app.clientId, roles: ['Users.Read.All'] };
    const token = await mint.issue(fault.claims?.(claims) ?? claims, endpoint, now);
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: {
        token_type: 'Bearer',
        expires_in: mint.lifetimeS,
        ext_expires_in: mint.lifetimeS,
        access_token: token,
      },
    };
  }
}

function discovery(base: string): object {
  return {
    issuer: `${base}/v2.0`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
    response_types_supported: ['code'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}
