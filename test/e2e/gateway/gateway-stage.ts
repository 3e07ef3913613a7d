// The stage with a gateway, and an issuer that signs the tokens of its users.
import type { TestContext } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import type { CredentialFiles } from '@sidestream/pki';
import { IssuerSimulator, type IssuerUser, type TokenOptions } from '@sidestream/simulators';
import { Stage, type StageOptions } from '../stage.js';
import { OpenApi } from './open-api.js';

const audience = 'api://sidestream';

export class GatewayStage {
  readonly stage: Stage;
  readonly issuer: IssuerSimulator;

  #document: OpenApi | undefined;

  private constructor(stage: Stage, issuer: IssuerSimulator) {
    this.stage = stage;
    this.issuer = issuer;
  }

  /** With a console for these users. Undefined, with the test skipped, where the machine lacks the real parts. */
  static async start(
    t: TestContext,
    {
      onLog,
      users,
      limits,
      drainSeconds,
      secure,
      recorder,
    }: {
      onLog?: (line: string) => void;
      users?: readonly IssuerUser[];
      limits?: Record<string, number | string>;
      drainSeconds?: number;
      /** Both speak TLS, by address; the issuer is trusted by its authority alone. */
      secure?: { readonly issuer: CredentialFiles; readonly gateway: CredentialFiles };
      recorder?: StageOptions['recorder'];
    } = {},
  ): Promise<GatewayStage | undefined> {
    const issuer = await IssuerSimulator.start({
      audience,
      ...(users && { users }),
      ...(secure && { tls: secure.issuer }),
    });
    const stage = await Stage.start(t, {
      ...(onLog && { onLog }),
      ...(recorder && { recorder }),
      configure: (config) => {
        config.gateway = {
          id: 'g1',
          issuers: [
            {
              ...{ tenant: 'contoso', issuer: issuer.issuer, audience },
              ...(secure && { trustFile: secure.issuer.trustFile }),
            },
          ],
          ...(secure && { tls: { certFile: secure.gateway.certFile, keyFile: secure.gateway.keyFile } }),
          ...(limits && { limits }),
          ...(drainSeconds !== undefined && { drainSeconds }),
          ...(users && { console: { authority: issuer.issuer, clientId: 'console', scope: 'openid' } }),
        };
      },
    });
    t.after(() => issuer.close());
    return stage && new GatewayStage(stage, issuer);
  }

  get url(): string {
    return this.stage.laboratory.deployment.status.addresses['gateway.http'] ?? '';
  }

  /** A token of the seller whom the policy names, unless told. */
  token(options: Partial<TokenOptions> = {}): Promise<string> {
    return this.issuer.mint({ oid: listedSeller.id, ...options });
  }

  operator(): Promise<string> {
    return this.token({ oid: 'olga', roles: ['Sidestream.Operator'] });
  }

  /** Asks the API. What it answers must be as its own document says. */
  async api(token: string | undefined, path: string, body?: object, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    if (path.startsWith('/api/')) {
      this.#document ??= await OpenApi.read(this.url);
      this.#document.check(body === undefined ? 'get' : 'post', path, response, text);
    }
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text.startsWith('{') ? JSON.parse(text) : {},
    };
  }
}
