/** Where the CIF library is, and whether a script may be taken from there. Pure. */
import { CifError } from './cif.js';

export interface LibraryPlaces {
  /** The page's own address: Dynamics 365 adds `ucilib`, some set-ups `base`. */
  readonly href: string;
  /** Origins of the frames around the page, the nearest first; not every browser tells them. */
  readonly ancestorOrigins?: ArrayLike<string> | undefined;
  readonly referrer?: string | undefined;
}

const libraryPath = '/webresources/Widget/msdyn_ciLibrary.js';

/**
 * The library's URL: `ucilib` of the page's address, else below `base`, the nearest ancestor or the referrer.
 *
 * @param allowed origins, `https://*.dynamics.com` for any host below that name.
 * @throws CifError `no-library-url` or `origin-refused`. What is named and refused is not passed over for the next best.
 */
export function findLibrary({ href, ancestorOrigins, referrer }: LibraryPlaces, allowed: readonly string[]): URL {
  const query = new URL(href).searchParams;
  const full = query.get('ucilib');
  const base = query.get('base') || ancestorOrigins?.[0] || referrer;
  if (!full && !base)
    throw new CifError('no-library-url', 'the page is in no frame of Dynamics 365 and has no ?ucilib= or ?base=');
  const named = full || base || '';
  const url = URL.canParse(named) ? new URL(full ? named : new URL(libraryPath, named)) : undefined;
  if (!url || url.username || url.password || !allowed.some((pattern) => matches(url, pattern)))
    throw new CifError(
      'origin-refused',
      `no script is loaded from ${url?.origin ?? 'what is no URL'}: allowed are ${allowed.join(', ')}`,
    );
  return url;
}

/** Whether the URL's origin is the pattern's; a leading `*.` stands for one label or more. */
function matches({ protocol, host, origin }: URL, pattern: string): boolean {
  const [, scheme, suffix] = /^(https?:)\/\/\*(\..+)$/.exec(pattern) ?? [];
  if (suffix === undefined) return origin === pattern;
  return protocol === scheme && host.endsWith(suffix) && host.length > suffix.length;
}
