// Whether this process can do its work now. Liveness is another question: a live process may wait for its peers.

/** Collects the state of the components that a service needs; ready when every one of them is. */
export class Health {
  readonly #components = new Map<string, { ok: boolean; detail: string }>();
  readonly #notes = new Map<string, string>();
  readonly #waiters = new Set<() => void>();

  /** Declares or updates one component, e.g. `('nats', false, 'no server answers at …')`. */
  set(component: string, ok: boolean, detail = ''): void {
    this.#components.set(component, { ok, detail });
    if (this.ready) for (const wake of [...this.#waiters]) wake();
  }

  get ready(): boolean {
    return [...this.#components.values()].every((component) => component.ok);
  }

  /** Says how something is on which readiness does not depend, e.g. `('trunk carrier', 'not registered: 403 Forbidden')`. */
  note(what: string, detail: string): void {
    this.#notes.set(what, detail);
  }

  /** What was noted, for people. */
  get notes(): string[] {
    return [...this.#notes].map(([what, detail]) => `${what}: ${detail}`);
  }

  /** What is missing, for people: `nats: no server answers at …`. Empty when ready. */
  get problems(): string[] {
    return [...this.#components]
      .filter(([, component]) => !component.ok)
      .map(([name, component]) => (component.detail ? `${name}: ${component.detail}` : name));
  }

  /** Resolves once ready; rejects with the signal's reason if that comes first. */
  whenReady(signal: AbortSignal): Promise<void> {
    if (this.ready) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waiters.delete(done);
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#waiters.delete(done);
        reject(signal.reason);
      };
      if (signal.aborted) return onAbort();
      this.#waiters.add(done);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
