// What differs between recorders of different makers. Everything else in this package is the RFCs'.
import { bracketed } from './host.js';

/** Who speaks: the seller is whom the policy may name, the customer is the other one. */
export type Party = 'customer' | 'seller';

/** One codec as the recorder is offered it (RFC 4566 §6 `a=rtpmap`, `a=fmtp`). */
export interface OfferedCodec {
  readonly payloadType: number;
  /** Encoding name and clock rate, such as `PCMU/8000`. */
  readonly encoding: string;
  readonly fmtp?: string;
}

/** A SIP URI that speaks of TLS in one way or another. */
export interface SecureUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** The habits of one recorder. A deployment changes one by spreading it: `{ ...dynamics365, extensionNamespace: '…' }`. */
export interface RecorderProfile {
  readonly name: string;
  /** Whether this recorder is known to take only what the profile writes; else it takes whatever the RFCs allow. */
  readonly strict: boolean;
  /** `a=label` of each party's voice; the customer's m-line is always the first (RFC 7866 §7.1.1, RFC 4574). */
  readonly labels: Readonly<Record<Party, string>>;
  readonly codecs: readonly OfferedCodec[];
  readonly ptimeMs: number;
  /** Namespace of `ExtensionParameters` in the metadata, foreign to RFC 7865's; absent = the element is not written. */
  readonly extensionNamespace?: string;
  /** Name of the header field that carries the account id; absent = there is none. */
  readonly accountHeader?: string;
  /** Whether changes may come as partial metadata (RFC 7866 §9.1); else each is a complete snapshot. */
  readonly partialUpdates: boolean;
  /** Media type of the metadata part: RFC 9806 §2 corrects RFC 7866's `application/rs-metadata`. */
  readonly metadataType: string;
  /** Scheme of a recorder that is given by a documented name. */
  readonly defaultScheme: SecureUri['scheme'];
  /** A Request-URI or Contact: how this recorder wants to read that TLS is meant. */
  uri(target: SecureUri): string;
}

const telephony: readonly OfferedCodec[] = [
  { payloadType: 0, encoding: 'PCMU/8000' },
  { payloadType: 8, encoding: 'PCMA/8000' },
  { payloadType: 101, encoding: 'telephone-event/8000', fmtp: '0-16' },
];

const plainUri = ({ scheme, user, host, port }: SecureUri) => `${scheme}:${user}@${bracketed(host)}:${port}`;

/** Dynamics 365 conversation intelligence, as its documentation shows it. */
export const dynamics365: RecorderProfile = {
  name: 'dynamics365',
  strict: true,
  labels: { customer: 'inbound', seller: 'outbound' },
  codecs: telephony,
  ptimeMs: 20,
  extensionNamespace: 'urn:sidestream:siprec',
  accountHeader: 'X-AccountId',
  partialUpdates: false,
  metadataType: 'application/rs-metadata+xml',
  defaultScheme: 'sip',
  // RFC 5630 §5.1.1 forbids transport=tls, yet it is what the recorder's owner documents, so it is what this one gets.
  uri: (target) => (target.scheme === 'sips' ? plainUri(target) : `${plainUri(target)};transport=tls`),
};

/** Any recorder that goes by RFC 7866 and RFC 7865 and asks for nothing more. */
export const rfc7866: RecorderProfile = {
  name: 'rfc7866',
  strict: false,
  labels: { customer: '1', seller: '2' },
  codecs: telephony,
  ptimeMs: 20,
  partialUpdates: true,
  metadataType: 'application/rs-metadata+xml',
  // RFC 5630 §5.1.1: TLS is said by the scheme or not at all.
  defaultScheme: 'sips',
  uri: plainUri,
};

/** The profiles by the names that configurations and command lines use. */
export const recorderProfiles = { dynamics365, rfc7866 } as const;
export type RecorderProfileName = keyof typeof recorderProfiles;
