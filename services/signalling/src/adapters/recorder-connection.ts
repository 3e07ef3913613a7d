// The connection to one recorder as one tenant that new dialogs use, and those that it has replaced: they stay as long as a dialog lives
// on them. Opening is the transports'; this knows which is which.
import type { Flow, Target, Transports, UaDialog } from '@sidestream/sip';

/** A connection that lived shorter has not helped anybody: the next one waits longer. */
const shortLifeMs = 10_000;

export class RecorderConnection {
  readonly #target: Target;
  readonly #transports: Transports;
  readonly #dialogs = new Set<UaDialog>();
  readonly #replaced = new Set<Flow>();
  #current: Flow | undefined;
  #openedAtMs = 0;
  #shortLives = 0;
  /** Requests under way, whose connection nobody else knows. */
  #requests = 0;
  #suspect: Flow | undefined;

  constructor(target: Target, transports: Transports) {
    this.#target = target;
    this.#transports = transports;
  }

  /** How many connections in a row have ended soon. */
  get shortLives(): number {
    return this.#shortLives;
  }

  /**
   * The open connection, or a new one in place of none, of one with a certificate that was renewed, or of the suspect.
   * @throws SipError of the dial
   */
  async open(signal?: AbortSignal): Promise<{ flow: Flow; isNew: boolean }> {
    const fresh = this.#suspect !== undefined && this.#suspect === this.#current && !this.#suspect.closed;
    const flow = await this.#transports.flow({ ...this.#target, fresh }, signal);
    const isNew = flow !== this.#current;
    if (isNew) {
      if (this.#current !== undefined && !this.#current.closed) this.#replaced.add(this.#current);
      this.#current = flow;
      this.#openedAtMs = performance.now();
    }
    return { flow, isNew };
  }

  /** Nothing came back on it: the next open() replaces it. */
  suspect(flow: Flow): void {
    this.#suspect = flow;
  }

  /** The recorder answers on another connection than the suspect: the dialogs of that one dial anew. */
  recorderLives(): void {
    if (this.#suspect !== undefined && this.#suspect !== this.#current) this.#suspect.close();
    this.#suspect = undefined;
  }

  /** A connection has ended: whether it was the current one. */
  lost(flow: Flow): boolean {
    this.#replaced.delete(flow);
    if (flow !== this.#current) return false;
    this.#shortLives = performance.now() - this.#openedAtMs < shortLifeMs ? this.#shortLives + 1 : 0;
    this.#current = undefined;
    return true;
  }

  /** Keeps every connection open until the request is over. */
  async during<T>(request: () => Promise<T>): Promise<T> {
    this.#requests += 1;
    try {
      return await request();
    } finally {
      this.#requests -= 1;
      this.#endUnused();
    }
  }

  /** A dialog keeps the connection that it lives on, until it ends. */
  carries(dialog: UaDialog): void {
    this.#dialogs.add(dialog);
    dialog.once('ended', () => {
      this.#dialogs.delete(dialog);
      this.#endUnused();
    });
  }

  #endUnused(): void {
    if (this.#requests > 0) return;
    for (const flow of this.#replaced) {
      if ([...this.#dialogs].some((dialog) => dialog.flow === flow)) continue;
      this.#replaced.delete(flow);
      flow.close();
    }
  }
}
