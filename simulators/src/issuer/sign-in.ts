/** Signing in at the simulated issuer: a page with its users, one of whom one is by a click; authorization code and PKCE (RFC 6749 §4.1, RFC 7636). */
import { createHash, randomBytes } from 'node:crypto';
import { problem, type Reply } from '../provider/reply.js';
import type { TokenOptions } from './token.js';

/** Who may sign in. */
export interface IssuerUser {
  readonly oid: string;
  readonly name: string;
  readonly roles?: readonly string[];
}

/** What a refresh token stands for. */
interface Renewal {
  readonly user: IssuerUser;
  readonly clientId: string;
}

interface Grant extends Renewal {
  readonly isRenewable: boolean;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly nonce: string | undefined;
}

/** Codes, and refresh tokens, that nobody has redeemed; the oldest go. */
const maxGrants = 100;

export class SignIn {
  readonly #users: readonly IssuerUser[];
  readonly #mint: (options: TokenOptions) => Promise<string>;
  readonly #grants = new Map<string, Grant>();
  readonly #renewals = new Map<string, Renewal>();
  /** Of the access tokens from now on. */
  lifetimeS = 3_600;
  /** Whether refresh tokens are taken; false: their sessions have ended. */
  renews = true;

  constructor(users: readonly IssuerUser[], mint: (options: TokenOptions) => Promise<string>) {
    this.#users = users;
    this.#mint = mint;
  }

  /** The authorization endpoint: the page, or the way back for whom `user` names. What can't be sent back is answered 400. */
  authorize(url: URL): Reply {
    const query = url.searchParams;
    const [clientId, redirectUri, challenge] = ['client_id', 'redirect_uri', 'code_challenge'].map((n) => query.get(n));
    if (!clientId || !redirectUri || !URL.canParse(redirectUri))
      return problem(400, 'client_id and redirect_uri are needed.');
    if (query.get('response_type') !== 'code' || !challenge || query.get('code_challenge_method') !== 'S256')
      return problem(400, 'Only response_type=code with a code_challenge of S256 is understood.');
    const user = this.#users.find(({ oid }) => oid === query.get('user'));
    if (user === undefined) return this.#page(url);
    const code = randomBytes(16).toString('hex');
    const isRenewable = (query.get('scope') ?? '').split(' ').includes('offline_access');
    const nonce = query.get('nonce') ?? undefined;
    keep(this.#grants, code, { user, clientId, redirectUri, challenge, nonce, isRenewable });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.get('state') ?? '');
    return { status: 302, headers: { location: back.href } };
  }

  /** The token endpoint. Codes and refresh tokens are good once, for whom they were made. */
  async token(form: URLSearchParams): Promise<Reply> {
    switch (form.get('grant_type')) {
      case 'authorization_code':
        return this.#redeem(form);
      case 'refresh_token':
        return this.#renew(form);
      default:
        return refused('unsupported_grant_type');
    }
  }

  /** With the verifier of the code's challenge. */
  async #redeem(form: URLSearchParams): Promise<Reply> {
    const code = form.get('code') ?? '';
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (
      grant === undefined ||
      grant.clientId !== form.get('client_id') ||
      grant.redirectUri !== form.get('redirect_uri') ||
      grant.challenge !== challenge
    )
      return refused('invalid_grant');
    const { oid, name } = grant.user;
    const id = await this.#mint({ oid, name, aud: grant.clientId, claims: { nonce: grant.nonce } });
    return this.#tokens(grant, grant.isRenewable, { id_token: id });
  }

  /** RFC 9700 §4.14.2: a refresh token is replaced with each use. */
  async #renew(form: URLSearchParams): Promise<Reply> {
    const token = form.get('refresh_token') ?? '';
    const renewal = this.#renewals.get(token);
    if (renewal === undefined || !this.renews || renewal.clientId !== form.get('client_id'))
      return refused('invalid_grant');
    this.#renewals.delete(token);
    return this.#tokens(renewal, true);
  }

  async #tokens({ user, clientId }: Renewal, isRenewable: boolean, more: object = {}): Promise<Reply> {
    const { oid, name, roles = [] } = user;
    const access = await this.#mint({ oid, name, roles, expiresInS: this.lifetimeS });
    const refreshToken = isRenewable ? randomBytes(16).toString('hex') : undefined;
    if (refreshToken !== undefined) keep(this.#renewals, refreshToken, { user, clientId });
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: {
        access_token: access,
        token_type: 'Bearer',
        expires_in: this.lifetimeS,
        ...(refreshToken !== undefined && { refresh_token: refreshToken }),
        ...more,
      },
    };
  }

  #page(url: URL): Reply {
    const entries = this.#users.map(({ oid, name }) => {
      const chosen = new URL(url);
      chosen.searchParams.set('user', oid);
      return `<li><a href="${escaped(chosen.href)}">${escaped(name)}</a></li>`;
    });
    return {
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': "default-src 'none'" },
      body: `<!doctype html><html lang="en"><title>Sign in</title><main><h1>Sign in as</h1><ul>${entries.join('')}</ul></main></html>`,
    };
  }
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  for (const oldest of map.keys()) if (map.size > maxGrants) map.delete(oldest);
}

/** RFC 6749 §5.2. */
function refused(error: string): Reply {
  return { status: 400, body: { error } };
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
