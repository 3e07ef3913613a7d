// Who calls: the trunk that an INVITE proves to come from, by its address and by what else the trunk must show. Knows no admission
// and no routes.

import type { Trunk, TrunkTable } from '@sidestream/routing';
import { certificateNamesHeader, type Secret, type TrunkConfig } from '@sidestream/service';
import { DigestGuard, type DigestHash, type DigestRefusal, parseUri } from '@sidestream/sip';
import type { IncomingInvite, MonotonicClock, SipFields } from './ports.js';
import type { RefusalReason } from './refusal-reasons.js';
import type { TrunkRegistrations } from './trunk-registrations.js';

/** What the callers of a trunk log in to, and with what. */
export interface TrunkLogin {
  readonly realm: string;
  readonly hashes: readonly DigestHash[];
  /** Passwords by user name. */
  readonly users: ReadonlyMap<string, Secret>;
}

export interface CallerProofOptions {
  readonly trunks: Pick<TrunkTable, 'ofSource'>;
  readonly registered: Pick<TrunkRegistrations, 'ofContact' | 'ofSource'>;
  readonly config: Readonly<Record<string, TrunkConfig>>;
  /** Of the trunks that have `digest`, by name. */
  readonly logins: ReadonlyMap<string, TrunkLogin>;
  readonly clock: MonotonicClock;
  /** Each answer to an INVITE that has to log in; `trunk` is empty while it is unknown. */
  readonly onProof: (trunk: string, outcome: 'accepted' | DigestRefusal) => void;
}

/** What a caller hears whose call doesn't come in. */
export interface RefusedCaller {
  readonly status: number;
  readonly reason: RefusalReason;
  /** For people: goes into Warning and Reason, and into the log. */
  readonly text: string;
  readonly headers?: SipFields;
}

export type Caller = { readonly trunk: Trunk } | { readonly refuse: RefusedCaller };

/** Why a caller is asked for the first time: nothing is wrong yet. */
export const notYetLoggedIn = 'digest: no-credentials';

/** The part of an INVITE that says who sent it. */
export type Claim = Pick<IncomingInvite, 'source' | 'requestUri' | 'header'>;

export class CallerProof {
  readonly #options: CallerProofOptions;
  readonly #guards = new Map<string, DigestGuard>();
  /** Of the trunks that may call from anywhere: they have one realm, and their users tell them apart. */
  readonly #open: DigestGuard | undefined;
  readonly #trunksByUser = new Map<string, Trunk>();
  readonly #trunksByCertificate = new Map<string, Trunk>();

  constructor(options: CallerProofOptions) {
    this.#options = options;
    const { config, logins, clock } = options;
    const users = new Map<string, string>();
    let open: TrunkLogin | undefined;
    for (const [name, login] of logins) {
      const passwords = new Map([...login.users].map(([user, password]) => [user, password.reveal()]));
      this.#guards.set(name, new DigestGuard({ ...login, users: passwords, clock }));
      const trunk = config[name];
      if (trunk === undefined || trunk.peers.length + trunk.certificateNames.length > 0) continue;
      open ??= login;
      for (const [user, password] of passwords) {
        users.set(user, password);
        this.#trunksByUser.set(user, { name, tenant: trunk.tenant, side: trunk.side, config: trunk });
      }
    }
    for (const [name, trunk] of Object.entries(config)) {
      const { tenant, side, certificateNames } = trunk;
      for (const shown of certificateNames) this.#trunksByCertificate.set(shown, { name, tenant, side, config: trunk });
    }
    this.#open = open && new DigestGuard({ ...open, users, clock });
  }

  /** The caller's trunk, or what it hears instead: 401 with challenges, or 403. Never throws. */
  identify(invite: Claim): Caller {
    const { trunk, shows } = this.#recognise(invite);
    if (trunk === undefined) return this.#identifyStranger(invite);
    if (!shows) {
      const text = `trunk ${trunk.name} must show a certificate of its names`;
      return { refuse: { status: 403, reason: 'login', text } };
    }
    const guard = this.#guards.get(trunk.name);
    return guard === undefined ? { trunk } : this.#logIn(guard, invite, trunk.name, () => trunk);
  }

  /** Whose request this is, as far as it shows without a login: for what nobody has to log in for. */
  peer(request: Claim): Trunk | undefined {
    const { trunk, shows } = this.#recognise(request);
    return shows ? trunk : undefined;
  }

  /** `shows`: and the certificate that the trunk has to show, if any. */
  #recognise(request: Claim): { readonly trunk: Trunk | undefined; readonly shows: boolean } {
    const named = this.#ofCertificate(request);
    const trunk = named ?? this.#ofSource(request);
    return { trunk, shows: named !== undefined || trunk?.config.certificateNames.length === 0 };
  }

  /** Told by our own edge alone, which takes the field from what others send; with any other edge no trunk has such names. */
  #ofCertificate(invite: Claim): Trunk | undefined {
    if (this.#trunksByCertificate.size === 0) return undefined;
    const names = (invite.header(certificateNamesHeader) ?? '').split(',');
    return names.map((name) => this.#trunksByCertificate.get(name)).find((trunk) => trunk !== undefined);
  }

  #ofSource({ source: { address, port }, requestUri }: Claim): Trunk | undefined {
    const { trunks, registered } = this.#options;
    return (
      registered.ofContact(address, userOf(requestUri)) ??
      trunks.ofSource(address, port) ??
      registered.ofSource(address)
    );
  }

  #identifyStranger(invite: Claim): Caller {
    if (this.#open === undefined) {
      return { refuse: { status: 403, reason: 'unknown-trunk', text: 'no trunk for this source address' } };
    }
    return this.#logIn(this.#open, invite, '', (user) => this.#trunksByUser.get(user));
  }

  #logIn(guard: DigestGuard, invite: Claim, name: string, trunkOf: (user: string) => Trunk | undefined): Caller {
    const acceptsUri = (uri: string) => isForSameUser(uri, invite.requestUri);
    const verdict = guard.check(invite.header('authorization'), { method: 'INVITE', acceptsUri });
    const trunk = 'user' in verdict ? trunkOf(verdict.user) : undefined;
    if (trunk !== undefined) {
      this.#options.onProof(trunk.name, 'accepted');
      return { trunk };
    }
    const refusal = 'refusal' in verdict ? verdict.refusal : 'user';
    this.#options.onProof(name, refusal);
    const headers = { 'WWW-Authenticate': guard.challenges(refusal === 'stale') };
    return { refuse: { status: 401, reason: 'login', text: `digest: ${refusal}`, headers } };
  }
}

/**
 * RFC 8760 §2.6, 6: credentials made for a call to one number are no good for a call to another. Hosts and parameters may have been
 * changed on the way, and some user agents name no user at all.
 */
function isForSameUser(uri: string, requestUri: string): boolean {
  const user = userOf(uri);
  return user === '' || (user !== undefined && user === userOf(requestUri));
}

/** Empty where there is none; undefined for what is no URI. */
function userOf(uri: string): string | undefined {
  try {
    return parseUri(uri).user ?? '';
  } catch {
    return undefined;
  }
}
