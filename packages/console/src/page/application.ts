/** From the first byte to the console: configuration, session, operations. It owns which of the pages is shown. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from './api/api-error.js';
import { Gateway } from './api/gateway.js';
import type { ConsoleConfig } from './api/shapes.js';
import { Session } from './sign-in/session.js';
import { Operations } from './state/operations.js';
import { asApiError } from './state/section.js';

export type Stage =
  | { readonly name: 'loading' }
  /** The page can't work; `text` says why. */
  | { readonly name: 'failed'; readonly text: string }
  /** Nobody is signed in; `text` says why a sign-in failed. */
  | { readonly name: 'signed-out'; readonly text?: string }
  | { readonly name: 'signed-in'; readonly user: string; readonly gateway: Gateway; readonly operations: Operations };

export class Application {
  readonly #stage = signal<Stage>({ name: 'loading' });
  readonly #window: Window;
  #session: Session | undefined;

  constructor(window: Window) {
    this.#window = window;
  }

  get stage(): ReadonlySignal<Stage> {
    return this.#stage;
  }

  /** Never rejects: what fails is shown. */
  async start(): Promise<void> {
    const here = new URL(this.#window.location.href);
    const home = new URL('.', here);
    try {
      const session = new Session(await consoleConfig(home), this.#window.sessionStorage, home.href);
      this.#session = session;
      const isReturn = here.searchParams.has('state');
      // A code is good once: neither a reload nor the history may bring it again.
      if (isReturn) this.#window.history.replaceState(null, '', home);
      if (isReturn) await session.complete(here);
      if (session.user === undefined) this.#stage.value = { name: 'signed-out' };
      else this.#operate(session, session.user, home);
    } catch (cause) {
      const { code, message: text } = asApiError(cause);
      this.#stage.value = code === 'refused' ? { name: 'signed-out', text } : { name: 'failed', text };
    }
  }

  /** Leaves for the issuer's page. */
  async signIn(): Promise<void> {
    try {
      const url = await this.#session?.begin();
      if (url !== undefined) this.#window.location.assign(url);
    } catch (cause) {
      this.#stage.value = { name: 'signed-out', text: asApiError(cause).message };
    }
  }

  signOut(): void {
    const { value: stage } = this.#stage;
    if (stage.name === 'signed-in') stage.operations.stop();
    this.#session?.end();
    this.#stage.value = { name: 'signed-out' };
  }

  #operate(session: Session, user: string, home: URL): void {
    const gateway = new Gateway(new URL('api/v1/', home).href, () => session.token());
    const operations = new Operations(gateway);
    this.#window.addEventListener('online', () => operations.retry());
    this.#stage.value = { name: 'signed-in', user, gateway, operations };
    void operations.run();
  }
}

async function consoleConfig(home: URL): Promise<ConsoleConfig> {
  const response = await fetch(new URL('console.json', home)).catch(() => {
    throw new ApiError('offline', 'The gateway can’t be reached.');
  });
  if (!response.ok)
    throw new ApiError('unavailable', `The gateway gives no configuration of the console (${response.status}).`);
  const config: Partial<ConsoleConfig> = await response.json().catch(() => ({}));
  const { authority, clientId, scope } = config;
  if (authority === undefined || clientId === undefined || scope === undefined)
    throw new ApiError('malformed', 'The gateway’s configuration of the console lacks authority, clientId or scope.');
  return { authority, clientId, scope };
}
