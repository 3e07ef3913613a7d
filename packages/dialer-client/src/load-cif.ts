/** Loads Microsoft's CIF library into the page, from an allowed origin only. */
import { type Cif, CifError } from './cif.js';
import { findLibrary } from './library-place.js';

export interface CifOptions {
  /** Origins that the library may come from; `https://*.dynamics.com` unless told. */
  readonly allowedOrigins?: readonly string[];
  /** How long the library may take to say that it is ready; 20 s. */
  readonly timeoutMs?: number;
  /** How often the script is fetched when that fails; 7 times, within about a minute. */
  readonly attempts?: number;
  /** Before the second attempt; twice as long before each one that follows. 1 s. */
  readonly retryMs?: number;
  /** An attempt has failed and another one follows. */
  readonly onRetry?: (error: CifError) => void;
  /** The page; the global one unless told. */
  readonly page?: CifPage;
}

/** What of a window the loading needs. */
export interface CifPage extends Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  readonly location: Pick<Location, 'href'> & { readonly ancestorOrigins?: ArrayLike<string> };
  readonly document: Pick<Document, 'createElement' | 'head' | 'referrer'>;
  readonly Microsoft?: { readonly CIFramework?: Partial<Cif> };
}

/**
 * Resolves with the framework once it is ready, at once where it is already.
 *
 * @throws CifError that says why there is none
 */
export async function loadCif(options: CifOptions = {}): Promise<Cif> {
  const page: CifPage = options.page ?? window;
  if (!page.Microsoft?.CIFramework) {
    const { location, document } = page;
    const places = { href: location.href, ancestorOrigins: location.ancestorOrigins, referrer: document.referrer };
    await loadPatiently(page, findLibrary(places, options.allowedOrigins ?? ['https://*.dynamics.com']), options);
  }
  const cif = page.Microsoft?.CIFramework;
  // The library published once had no raiseEvent at all.
  if (typeof cif?.raiseEvent !== 'function') throw new CifError('too-old', 'the CIF library has no raiseEvent');
  return cif as Cif;
}

/** A script that could not be fetched is asked for again; one that has run is not run twice. */
async function loadPatiently(page: CifPage, url: URL, options: CifOptions): Promise<void> {
  const { attempts = 7, retryMs = 1_000, timeoutMs = 20_000, onRetry } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await load(page, url, timeoutMs);
    } catch (error) {
      if (!(error instanceof CifError) || error.code !== 'load-failed' || attempt >= attempts) throw error;
      onRetry?.(error);
      await new Promise((resolve) => setTimeout(resolve, retryMs * 2 ** (attempt - 1)));
    }
  }
}

function load(page: CifPage, url: URL, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const ready = () => settle(resolve);
    const fail = (code: 'load-failed' | 'no-init', text: string) => settle(() => reject(new CifError(code, text)));
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      page.removeEventListener('CIFInitDone', ready);
      finish();
    };
    const timer = setTimeout(() => fail('no-init', `CIFInitDone did not come within ${timeoutMs} ms`), timeoutMs);
    // Before the script is added: it dispatches the event right after it has run.
    page.addEventListener('CIFInitDone', ready);
    const script = page.document.createElement('script');
    script.src = url.href;
    script.setAttribute('data-crmurl', url.origin);
    script.setAttribute('data-cifid', 'CIFMainLibrary');
    script.onerror = () => {
      script.remove();
      fail('load-failed', `${url.origin}${url.pathname} cannot be loaded`);
    };
    page.document.head.append(script);
  });
}
