/** From the first byte to the console: configuration, session, operations. It owns which of the pages is shown. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError, asApiError } from './api/api-error.js';
import { Gateway } from './api/gateway.js';
import type { ConsoleConfig } from './api/shapes.js';
import { Session } from './sign-in/session.js';
import { Operations } from './state/operations.js';
import { ViewMemory } from './state/view-memory.js';

export type Stage =
  | { readonly name: 'loading' }
  /** The page can't work; `text` says why. */
  | { readonly name: 'failed'; readonly text: string }
  /** Nobody is signed in; `text` says why a sign-in failed. */
  | { readonly name: 'signed-out'; readonly text?: string }
  | { readonly name: 'signed-in'; readonly user: string; readonly gateway: Gateway; readonly operations: Operations };

export class Application {
  /** What is open on the page; it outlives a sign-in of the same user. */
  readonly memory: ViewMemory;
  readonly #stage = signal<Stage>({ name: 'loading' });
  readonly #signInFault = signal<string | undefined>(undefined);
  readonly #window: Window;
  #session: Session | undefined;
  /** Aborted when nobody is signed in any more. */
  #signedIn = new AbortController();

  constructor(window: Window) {
    this.#window = window;
    this.memory = new ViewMemory(window.sessionStorage);
  }

  /** Why the issuer's page can't be gone to; undefined while nobody has tried in vain. */
  get signInFault(): ReadonlySignal<string | undefined> {
    return this.#signInFault;
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

  /** Leaves for the issuer's page. Never rejects: why it can't is shown. */
  async signIn(): Promise<void> {
    try {
      const url = await this.#session?.begin();
      if (url !== undefined) this.#window.location.assign(url);
    } catch (cause) {
      this.#signInFault.value = asApiError(cause).message;
    }
  }

  signOut(): void {
    const { value: stage } = this.#stage;
    if (stage.name === 'signed-in') stage.operations.stop();
    this.#signedIn.abort();
    this.#session?.end();
    this.memory.clear();
    this.#stage.value = { name: 'signed-out' };
  }

  #operate(session: Session, user: string, home: URL): void {
    const { document, navigator } = this.#window;
    const isWatched = (): boolean => document.visibilityState === 'visible';
    const gateway = new Gateway(new URL('api/v1/', home).href, (refused) => session.token(refused));
    const operations = new Operations(gateway, isWatched);
    this.#signedIn = new AbortController();
    const { signal } = this.#signedIn;
    this.#window.addEventListener('online', () => operations.networkBack(), { signal });
    this.#window.addEventListener('offline', () => operations.networkLost(), { signal });
    document.addEventListener('visibilitychange', () => isWatched() && operations.retry(), { signal });
    this.memory.enter(session.subject);
    if (!navigator.onLine) operations.networkLost();
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
