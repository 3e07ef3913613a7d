// Who talks to whom: identities of the called and calling party as the INVITE names them, and their roles once these are decided.
// Knows header syntax through @sidestream/sip; knows nothing of how a policy decides.
import type { CallParty } from '@sidestream/policy';
import { formatHost, type NameAddr, parseNameAddr, parseUri, splitList } from '@sidestream/sip';

export type Party = 'customer' | 'seller';
/** As seen from the seller's side. */
export type Direction = 'inbound' | 'outbound';

export interface Identity {
  /** sip:, sips: or tel: URI without parameters; the anonymous URI if the party wants privacy. */
  readonly uri: string;
  /** Display name; empty if there is none. */
  readonly name: string;
  /** User part or tel number; empty if there is none or it is private. */
  readonly user: string;
  readonly anonymous: boolean;
}

/** The parties as an INVITE names them; it does not say who of them is the seller. */
export interface InviteParties {
  readonly calling: Identity;
  readonly called: Identity;
  /** The URIs that name the party, the strongest first: that of its identity. Never shown when the party is anonymous. */
  readonly callingUris: readonly string[];
  readonly calledUris: readonly string[];
  /** User part of the strongest of callingUris, or empty. Never shown when the party is anonymous. */
  readonly callingUser: string;
}

export interface CallParties {
  readonly calling: Identity;
  readonly called: Identity;
  readonly seller: Identity;
  readonly customer: Identity;
}

/** RFC 3323 §4.1.1.3, RFC 3325: what stands in a From that tells nothing. */
export const anonymous: Identity = {
  uri: 'sip:anonymous@anonymous.invalid',
  name: 'Anonymous',
  user: '',
  anonymous: true,
};

export interface InviteIdentities {
  readonly requestUri: string;
  header(name: string): string | undefined;
}

/** The identity with its number as E.164, where the number plan of the trunk knows it: what others are told of a party is never dialled. */
export function withNumber(identity: Identity, number: string | undefined): Identity {
  if (identity.anonymous || number === undefined || number === identity.user) return identity;
  const uri = identity.uri.startsWith('tel:') ? `tel:${number}` : identity.uri.replace(/^(\w+):[^@]*/, `$1:${number}`);
  return { ...identity, uri, user: number };
}

/** The parties in their roles: whoever of them is the seller, the other one is the customer. */
export function withRoles({ calling, called }: Pick<InviteParties, CallParty>, seller: CallParty): CallParties {
  return seller === 'calling'
    ? { calling, called, seller: calling, customer: called }
    : { calling, called, seller: called, customer: calling };
}

/** The direction of a call whose seller is this party. */
export function directionOf(seller: CallParty): Direction {
  return seller === 'calling' ? 'outbound' : 'inbound';
}

/** The role of the calling party in a call of this direction. */
export function callingRole(direction: Direction): Party {
  return direction === 'outbound' ? 'seller' : 'customer';
}

/**
 * Reads the parties of an INVITE. Called: request URI, or To when the URI has no user part, without a name, since the display name of
 * To is the caller's word. Calling: P-Asserted-Identity (RFC 3325), then From. Never throws: what cannot be read is treated as
 * absent, an unreadable caller as anonymous.
 *
 * @param believed false: the trunk is outside our trust domain, and what it asserts is nobody's word (RFC 3325 §5).
 */
export function readParties(invite: InviteIdentities, believed = true): InviteParties {
  const from = nameAddrs(invite.header('from'));
  const callers = [...(believed ? nameAddrs(invite.header('p-asserted-identity')) : []), ...from];
  const to = nameAddrs(invite.header('to')).map(({ uri }) => uri);
  const callingUris = callers.map(({ uri }) => uri).filter(identifies);
  const calledUris = [invite.requestUri, ...to].filter(identifies);
  const hidden = wantsPrivacy(invite) || from.some(({ uri }) => isAnonymous(uri));
  const calling = hidden ? anonymous : identity(callingUris, firstName(callers));
  const called = identity(calledUris, '');
  const callingUser = userOf(callingUris[0] ?? '');
  return { calling, called, callingUris: unique(callingUris), calledUris: unique(calledUris), callingUser };
}

/** Whether the caller asks that its identity be kept: RFC 3323 §4.2, or the older Remote-Party-ID of its trunk. */
export function wantsPrivacy(invite: InviteIdentities): boolean {
  const values = (invite.header('privacy') ?? '').toLowerCase().split(/[;,\s]+/);
  if (values.some((value) => value === 'id' || value === 'user' || value === 'header' || value === 'full')) return true;
  return nameAddrs(invite.header('remote-party-id')).some(({ parameters }) => {
    const party = parameters.get('party')?.toLowerCase() ?? 'calling';
    const privacy = parameters.get('privacy')?.toLowerCase() ?? 'off';
    return party === 'calling' && privacy !== 'off';
  });
}

function isAnonymous(text: string): boolean {
  const uri = uriOf(text);
  if (uri === undefined) return false;
  const host = uri.host.toLowerCase();
  return host === 'anonymous.invalid' || uri.user?.toLowerCase() === 'anonymous';
}

/** Whether somebody can be reached or known by this URI. */
function identifies(text: string): boolean {
  return userOf(text) !== '' && !isAnonymous(text);
}

/** Parameters inside the user part (";npdi") are the network's, not the person's. */
function userOf(text: string): string {
  return uriOf(text)?.user?.split(';')[0] ?? '';
}

/** The identity of the first URI. */
function identity([first]: readonly string[], name: string): Identity {
  const uri = first === undefined ? undefined : uriOf(first);
  if (first === undefined || uri === undefined) return anonymous;
  const user = userOf(first);
  const shown = uri.scheme === 'tel' ? `tel:${user}` : `${uri.scheme}:${user}@${formatHost(uri.host)}`;
  return { uri: shown, name, user, anonymous: false };
}

function firstName(addresses: readonly NameAddr[]): string {
  return (
    addresses.find((address) => address.displayName !== undefined && address.displayName !== '')?.displayName ?? ''
  );
}

/** A header value may hold several addresses (RFC 3325 §9.1 allows two); commas inside quotes and angle brackets do not divide. */
function nameAddrs(value: string | undefined): NameAddr[] {
  if (value === undefined) return [];
  return splitList(value).flatMap((part) => {
    try {
      return [parseNameAddr(part)];
    } catch {
      // An address that cannot be read identifies nobody.
      return [];
    }
  });
}

function uriOf(text: string) {
  try {
    return parseUri(text);
  } catch {
    return undefined;
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
