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

/** The habits of one recorder. A deployment changes one by spreading it: `{ ...dynamics365, extensionNamespace: '…' }`. */
export interface RecorderProfile {
  readonly name: string;
  /** `a=label` of each party's voice; the customer's m-line is always the first (RFC 7866 §7.1.1, RFC 4574). */
  readonly labels: Readonly<Record<Party, string>>;
  readonly codecs: readonly OfferedCodec[];
  readonly ptimeMs: number;
  /** Namespace of `ExtensionParameters` in the metadata, foreign to RFC 7865's; absent = the element is not written. */
  readonly extensionNamespace?: string;
  /** Name of the header field that carries the account id. */
  readonly accountHeader: string;
  /** Media type of the metadata part: RFC 9806 §2 corrects RFC 7866's `application/rs-metadata`. */
  readonly metadataType: string;
  /** The Request-URI of the recorder at this host (name or address) and port. */
  requestUri(host: string, port: number): string;
}

/** Dynamics 365 conversation intelligence, as its documentation shows it. */
export const dynamics365: RecorderProfile = {
  name: 'dynamics365',
  labels: { customer: 'inbound', seller: 'outbound' },
  codecs: [
    { payloadType: 0, encoding: 'PCMU/8000' },
    { payloadType: 8, encoding: 'PCMA/8000' },
    { payloadType: 101, encoding: 'telephone-event/8000', fmtp: '0-16' },
  ],
  ptimeMs: 20,
  extensionNamespace: 'urn:sidestream:siprec',
  accountHeader: 'X-AccountId',
  metadataType: 'application/rs-metadata+xml',
  // RFC 5630 §5.1.1 forbids transport=tls, yet it is what the recorder's owner documents, so it is what this one gets.
  requestUri: (host, port) => `sip:SRS@${bracketed(host)}:${port};transport=tls`,
};
