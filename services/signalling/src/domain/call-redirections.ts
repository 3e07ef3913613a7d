// Redirections of a target (3xx, RFC 3261 §8.1.3.4): where they lead is looked up along the caller's own routes, by the number alone. No
// host that a far side names is called or told to anybody. Bounded: whoever redirects in a circle ends the call.
import type { Candidate, Trunk } from '@sidestream/routing';
import { parseNameAddr, parseUri, type SipUri, splitList } from '@sidestream/sip';

/** Of one call. */
const mostRedirections = 5;
/** Of one response. */
const mostContacts = 8;

/** Who is in a call in another one's place. */
export interface NamedTarget {
  readonly uri: SipUri;
  /** Display name, where one is known. */
  readonly name?: string;
  /** The trunk of who named it, whose number plan says what the number means. */
  readonly by: Trunk;
}

export class Redirections {
  readonly #route: (uri: SipUri, by: Trunk) => readonly Candidate[];
  /** Numbers that were called, the first one included: calling one again would lead in a circle. */
  readonly #called: Set<string>;
  readonly #followed: string[] = [];
  readonly #named = new Map<Candidate, NamedTarget>();

  /**
   * @param called the number that the call is for
   * @param route where the caller's routes take a call to this number, named by a target of that trunk; empty if nowhere
   */
  constructor(called: string, route: (uri: SipUri, by: Trunk) => readonly Candidate[]) {
    this.#called = new Set([called]);
    this.#route = route;
  }

  /** The numbers that have redirected the call, the last one first (RFC 5806 §3). */
  get diverted(): readonly string[] {
    return this.#followed;
  }

  /**
   * Where a redirection leads, best first; empty when that is nowhere new. Never throws.
   *
   * @param by the redirecting target
   * @param contact value of its Contact; the URIs of the highest q are tried first
   */
  follow(by: Candidate, contact: string): readonly Candidate[] {
    if (this.#followed.length >= mostRedirections) return [];
    const candidates = readContacts(contact).flatMap((uri) => {
      const user = uri.user?.split(';')[0] ?? '';
      if (user === '' || this.#called.has(user)) return [];
      this.#called.add(user);
      const places = this.#route(uri, by.trunk);
      for (const place of places) this.#named.set(place, { uri, by: by.trunk });
      return places;
    });
    if (candidates.length > 0) this.#followed.unshift(by.user);
    return candidates;
  }

  /** For whom a place stands that a redirection led to; undefined for one of the call's own. */
  targetAt(candidate: Candidate): NamedTarget | undefined {
    return this.#named.get(candidate);
  }
}

/** The URIs by their q (RFC 3261 §20.10), the highest first; what can't be read is left out. */
function readContacts(value: string): SipUri[] {
  const contacts = splitList(value)
    .slice(0, mostContacts)
    .flatMap((part) => {
      try {
        const { uri, parameters } = parseNameAddr(part.trim());
        const q = Number(parameters.get('q') ?? 1);
        return [{ uri: parseUri(uri), q: q >= 0 && q <= 1 ? q : 1 }];
      } catch {
        return [];
      }
    });
  return contacts.sort((a, b) => b.q - a.q).map(({ uri }) => uri);
}
