// Who talks to whom: identities of the called and calling party as the INVITE names them, and who of them is the seller.
// Knows header syntax through @sidestream/sip; knows nothing of policy.
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

export interface CallParties {
  readonly calling: Identity;
  readonly called: Identity;
  readonly seller: Identity;
  readonly customer: Identity;
  /** All URIs under which the seller may be known, the strongest first; never shown when the seller is anonymous. */
  readonly sellerUris: readonly string[];
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

/** The direction of a call that arrives from a trunk of that side. */
export function directionFrom(side: Party): Direction {
  return side === 'customer' ? 'inbound' : 'outbound';
}

/**
 * Reads the parties of an INVITE. Called: request URI, or To when the URI has no user part. Calling: P-Asserted-Identity (RFC 3325),
 * then From. Never throws: what cannot be read is treated as absent, an unreadable caller as anonymous.
 */
export function readParties(invite: InviteIdentities, direction: Direction): CallParties {
  const asserted = nameAddrs(invite.header('p-asserted-identity'));
  const from = nameAddrs(invite.header('from'));
  const to = nameAddrs(invite.header('to'));
  const requestUri: NameAddr = { uri: invite.requestUri, parameters: new Map() };

  const hidden = wantsPrivacy(invite.header('privacy')) || from.some(isAnonymous);
  const calling = hidden ? anonymous : identity([...asserted, ...from]);
  const called = identity([requestUri, ...to]);
  const callingUris = [...asserted, ...from].filter((address) => !isAnonymous(address)).map((address) => address.uri);
  const calledUris = [requestUri, ...to].map((address) => address.uri);
  return direction === 'inbound'
    ? { calling, called, seller: called, customer: calling, sellerUris: unique(calledUris) }
    : { calling, called, seller: calling, customer: called, sellerUris: unique(callingUris) };
}

/** RFC 3323 §4.2: any of these asks that the caller's identity be kept. */
function wantsPrivacy(privacy: string | undefined): boolean {
  const values = (privacy ?? '').toLowerCase().split(/[;,\s]+/);
  return values.some((value) => value === 'id' || value === 'user' || value === 'header' || value === 'full');
}

function isAnonymous(address: NameAddr): boolean {
  const uri = uriOf(address.uri);
  if (uri === undefined) return false;
  const host = uri.host.toLowerCase();
  return host === 'anonymous.invalid' || uri.user?.toLowerCase() === 'anonymous';
}

function identity(addresses: readonly NameAddr[]): Identity {
  for (const address of addresses) {
    const uri = uriOf(address.uri);
    if (uri === undefined) continue;
    // Parameters inside the user part (";npdi") are the network's, not the person's.
    const user = uri.user?.split(';')[0] ?? '';
    if (user === '') continue;
    const shown = uri.scheme === 'tel' ? `tel:${user}` : `${uri.scheme}:${user}@${formatHost(uri.host)}`;
    return { uri: shown, name: firstName(addresses), user, anonymous: false };
  }
  return anonymous;
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
