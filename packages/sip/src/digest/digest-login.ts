// The client's side of digest: answers challenges with one user's password and uses what it has learnt again (RFC 3261 §22.2, §22.3).
import { randomBytes } from 'node:crypto';
import { digestResponse, type Qop } from './algorithm.js';
import { type DigestChallenge, parseChallenges } from './challenge.js';
import { formatCredentials } from './credentials.js';

export interface DigestUser {
  readonly username: string;
  readonly password: string;
  /** Only challenges of this realm are answered; without it those of whoever was asked. */
  readonly realm?: string | undefined;
}

/** What credentials are made for. */
export interface AuthorizedRequest {
  readonly method: string;
  /** The Request-URI as it is sent. */
  readonly uri: string;
  readonly body: string;
}

const fields = {
  401: { asked: 'WWW-Authenticate', answered: 'Authorization' },
  407: { asked: 'Proxy-Authenticate', answered: 'Proxy-Authorization' },
} as const;

type Challenger = keyof typeof fields;

/** What a login needs of a response. */
export interface ChallengedResponse {
  readonly status: number;
  get(name: string): string | undefined;
}

interface Known {
  readonly challenge: DigestChallenge;
  /** Stays with the challenge: a session's key is made of the first one (RFC 7616 §3.4.2). */
  readonly cnonce: string;
  nc: number;
}

/** What is known of those who ask; one for a call, whose requests all go the same way, or for a registration. */
export class DigestLogin {
  readonly #user: DigestUser;
  readonly #known = new Map<Challenger, Known>();

  constructor(user: DigestUser) {
    this.#user = user;
  }

  /** Whether anybody has asked: only then may a request carry credentials. */
  get challenged(): boolean {
    return this.#known.size > 0;
  }

  /** Begins a request, which may be challenged by a server and by a proxy before it is through. */
  attempt(): DigestAttempt {
    return new DigestAttempt((challenger, text, again) => this.#learn(challenger, text, again));
  }

  /** Header fields for a request: credentials for everybody who has asked so far, each with the next nonce count. */
  headers(request: AuthorizedRequest): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const [challenger, known] of this.#known) {
      known.nc += 1;
      headers[fields[challenger].answered] = answer(this.#user, known, request);
    }
    return headers;
  }

  #learn(challenger: Challenger, text: string, again: boolean): boolean {
    const { realm } = this.#user;
    // RFC 8760 §2.4: the topmost that can be answered.
    const challenge = parseChallenges([text]).find((one) => realm === undefined || one.realm === realm);
    if (challenge === undefined || (again && !challenge.stale)) return false;
    this.#known.set(challenger, { challenge, cnonce: randomBytes(16).toString('hex'), nc: 0 });
    return true;
  }
}

/** A nonce may be stale more than once under load; three in a row is a server that will never be content. */
const maxAnswers = 3;

/** One request and its repeats with credentials. */
export class DigestAttempt {
  readonly #learn: (challenger: Challenger, text: string, again: boolean) => boolean;
  readonly #answers = new Map<Challenger, number>();

  /** Made by a login. */
  constructor(learn: (challenger: Challenger, text: string, again: boolean) => boolean) {
    this.#learn = learn;
  }

  /**
   * Takes a final response. True where it is a challenge that the login can answer: then the request is to be sent again, with the
   * login's headers. Each challenger is answered once, and again while it only finds the nonce stale (RFC 3261 §22.1).
   */
  take(response: ChallengedResponse): boolean {
    const { status } = response;
    if (status !== 401 && status !== 407) return false;
    const text = response.get(fields[status].asked);
    const answers = this.#answers.get(status) ?? 0;
    if (text === undefined || answers >= maxAnswers || !this.#learn(status, text, answers > 0)) return false;
    this.#answers.set(status, answers + 1);
    return true;
  }
}

function answer(user: DigestUser, { challenge, cnonce, nc }: Known, request: AuthorizedRequest): string {
  const { realm, nonce, opaque, algorithm, qop } = challenge;
  const { username, password } = user;
  const { method, uri, body } = request;
  const chosen: Qop | undefined = qop === undefined || qop.includes('auth') ? qop && 'auth' : 'auth-int';
  const protection = chosen === undefined ? undefined : { qop: chosen, cnonce, nc };
  const common = { username, realm, nonce, uri, algorithm, protection };
  const response = digestResponse({ ...common, password, method, body });
  return formatCredentials({ ...common, response, ...(opaque === undefined ? {} : { opaque }) });
}
