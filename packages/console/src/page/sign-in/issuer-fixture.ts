/** An issuer for tests of the session: it renews tokens as it is told, and counts. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export class IssuerFixture {
  readonly #server: Server;
  renewals = 0;
  /** What it does with a renewal; it renews unless told. */
  answer: (response: ServerResponse) => void = (response) => this.renew(response);

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', ({ url }, response) => {
      if (url === '/token') {
        this.renewals += 1;
        this.answer(response);
      } else send(response, 200, { issuer: this.url, token_endpoint: `${this.url}/token` });
    });
  }

  static async start(t: TestContext): Promise<IssuerFixture> {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    return new IssuerFixture(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  renew(response: ServerResponse): void {
    const access_token = `renewed-${this.renewals}`;
    send(response, 200, { access_token, token_type: 'Bearer', refresh_token: 'next', expires_in: 3_600 });
  }

  refuse(response: ServerResponse, status = 400): void {
    send(response, status, { error: 'invalid_grant' });
  }
}

/** The tab's storage with a session whose token lasts so long. */
export function storageWith(expiresInMs: number, refreshToken?: string): Storage {
  const session = { accessToken: 'first', expiresAt: Date.now() + expiresInMs, name: 'Olga', refreshToken };
  const kept = new Map([['session', JSON.stringify(session)]]);
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  } as Partial<Storage> as Storage;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
