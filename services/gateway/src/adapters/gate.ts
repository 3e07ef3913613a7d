// Who an HTTP request is from, and whether pages of an origin may ask.
import type { IncomingMessage } from 'node:http';
import { RateLimit } from '@sidestream/service';
import type { Tokens, User } from '../domain/user.js';
import type { ClientAddress } from './client-address.js';
import { HttpProblem } from './problem.js';

export interface GateOptions {
  readonly tokens: Tokens;
  readonly origins: readonly string[];
  readonly publicUrl: string | undefined;
  readonly addresses: Pick<ClientAddress, 'of'>;
  /** Of one user, and of one address whoever asks from there. */
  readonly limits: { readonly requestsPerSecond: number; readonly requestsPerSecondOfAddress: number };
}

export class Gate {
  readonly #tokens: Tokens;
  readonly #origins: ReadonlySet<string>;
  readonly #addresses: GateOptions['addresses'];
  readonly #ofUsers: RateLimit;
  readonly #ofAddresses: RateLimit;

  constructor({ tokens, origins, publicUrl, addresses, limits }: GateOptions) {
    this.#tokens = tokens;
    this.#addresses = addresses;
    this.#origins = new Set(publicUrl === undefined ? origins : [...origins, new URL(publicUrl).origin]);
    this.#ofUsers = rateOf(limits.requestsPerSecond);
    this.#ofAddresses = rateOf(limits.requestsPerSecondOfAddress);
  }

  /** Programs send no origin. Pages of our own host are ours. */
  isAllowed({ headers, socket }: IncomingMessage): boolean {
    const { origin, host } = headers;
    if (origin === undefined || this.#origins.has(origin)) return true;
    const scheme = 'encrypted' in socket ? 'https' : 'http';
    return origin === `${scheme}://${host}`;
  }

  /** @throws HttpProblem, TokenRefused */
  async user(request: IncomingMessage): Promise<User> {
    if (!this.isAllowed(request)) throw new HttpProblem(403, 'origin', 'pages of this origin may not use the API');
    // Before the token is looked at, which costs more than it costs to send one.
    if (!this.#ofAddresses.take(this.#addresses.of(request))) throw tooMany();
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new HttpProblem(401, 'no-token', 'a Bearer token is needed');
    const user = await this.#tokens.verify(token);
    if (!this.#ofUsers.take(`${user.tenant}/${user.seller}`)) throw tooMany();
    return user;
  }

  /** @throws HttpProblem, TokenRefused */
  async operator(request: IncomingMessage): Promise<User> {
    const user = await this.user(request);
    if (!user.operator) throw new HttpProblem(403, 'not-an-operator', 'the API is for operators');
    return user;
  }
}

function rateOf(perSecond: number): RateLimit {
  return new RateLimit({ perSecond, burst: 2 * perSecond, clock: () => performance.now() });
}

function tooMany(): HttpProblem {
  return new HttpProblem(429, 'too-many-requests', 'too many requests');
}
