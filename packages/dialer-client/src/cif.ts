/** What of Microsoft's Channel Integration Framework is used here, and how it can fail to be there. */

/** `Microsoft.CIFramework`, as far as a dialer needs it. */
export interface Cif {
  /** Resolves once the app has taken the event; the library itself gives up after 10 s and rejects. */
  raiseEvent(name: string, input: object | string, correlationId?: string): Promise<boolean>;
}

/**
 * `no-library-url`: neither the page's address nor its surroundings tell where the library is. `origin-refused`: they name a place that
 * no script is taken from. `load-failed`: the script cannot be fetched or run. `no-init`: it never said that it is ready.
 * `too-old`: it has no raiseEvent.
 */
export type CifFailure = 'no-library-url' | 'origin-refused' | 'load-failed' | 'no-init' | 'too-old';

export class CifError extends Error {
  readonly code: CifFailure;

  constructor(code: CifFailure, message: string) {
    super(message);
    this.name = 'CifError';
    this.code = code;
  }
}
