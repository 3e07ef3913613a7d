// Who an HTTP request is from, and whether pages of an origin may ask.
import type { IncomingMessage } from 'node:http';
import { RateLimit } from '@sidestream/service';
import type { Tokens, User } from '../domain/user.js';
import { HttpProblem } from './problem.js';

export interface GateOptions {
  readonly tokens: Tokens;
  readonly origins: readonly string[];
  readonly publicUrl: string | undefined;
  readonly requestsPerSecond: number;
}

export class Gate {
  readonly #tokens: Tokens;
  readonly #origins: ReadonlySet<string>;
  readonly #requests: RateLimit;

  constructor({ tokens, origins, publicUrl, requestsPerSecond }: GateOptions) {
    this.#tokens = tokens;
    this.#origins = new Set(publicUrl === undefined ? origins : [...origins, new URL(publicUrl).origin]);
    const clock = () => performance.now();
    this.#requests = new RateLimit({ perSecond: requestsPerSecond, burst: 2 * requestsPerSecond, clock });
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
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new HttpProblem(401, 'no-token', 'a Bearer token is needed');
    const user = await this.#tokens.verify(token);
    if (!this.#requests.take(`${user.tenant}/${user.seller}`))
      throw new HttpProblem(429, 'too-many-requests', 'too many requests');
    return user;
  }

  /** @throws HttpProblem, TokenRefused */
  async operator(request: IncomingMessage): Promise<User> {
    const user = await this.user(request);
    if (!user.operator) throw new HttpProblem(403, 'not-an-operator', 'the API is for operators');
    return user;
  }
}
