// The SDP that a recorder is offered, written from the ports and keys of the fork (RFC 7866 §7.1.1, RFC 4566, RFC 4568).
import { isIP } from 'node:net';
import type { Party, RecorderProfile } from '../recorder-profile.js';
import { quoted, SiprecError } from '../siprec-error.js';
import { plainCrypto } from './crypto-attribute.js';
import { isPort } from './session-description.js';

/** One voice as media-relay forks it. */
export interface ForkStream {
  readonly party: Party;
  /** IP address and ports that the copy is sent from. */
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  /** Value of a=crypto: `1 AES_CM_128_HMAC_SHA1_80 inline:…`; the key that encrypts the copy. */
  readonly crypto: string;
  /**
   * What the fork carries now. The offer lists the profile's codecs all the same: the relay has PCMU or PCMA for every
   * stream, transcoded where a party has neither, and turns it into what the recorder answers.
   */
  readonly payloadTypes: readonly number[];
}

export interface RecordingOffer {
  /** The customer's stream and the seller's, in any order: the customer's is written first. */
  readonly streams: readonly ForkStream[];
  /** `o=` session id, the same for all offers of a recording session. */
  readonly sessionId: bigint | string;
  /** `o=` version, one more with each changed offer (RFC 3264 §8). */
  readonly version: number;
  /** IP address of `o=` and `c=`. */
  readonly address: string;
  /** `inactive` pauses the recording (RFC 7866 §7.1.1.1). */
  readonly direction: 'sendonly' | 'inactive';
  readonly profile: RecorderProfile;
}

/**
 * The offer, with CRLF line ends.
 * @throws SiprecError `offer-streams` unless there is one stream of each party, `offer-address`, `offer-port`,
 * `offer-crypto` when a value cannot be offered
 */
export function writeRecordingOffer(offer: RecordingOffer): string {
  const { sessionId, version, address } = offer;
  const addressType = typeOfAddress(address);
  if (!/^\d{1,20}$/.test(String(sessionId)) || !Number.isSafeInteger(version) || version < 0) {
    throw new SiprecError('offer-streams', 'session id and version of o= are not decimal numbers', 'RFC 4566 §5.2');
  }
  const lines = [
    'v=0',
    `o=- ${sessionId} ${version} IN ${addressType} ${address}`,
    's=-',
    `c=IN ${addressType} ${address}`,
    't=0 0',
    ...inOrder(offer.streams).flatMap((stream) => mediaLines(stream, offer)),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function inOrder(streams: readonly ForkStream[]): ForkStream[] {
  const customer = streams.find(({ party }) => party === 'customer');
  const seller = streams.find(({ party }) => party === 'seller');
  if (streams.length !== 2 || customer === undefined || seller === undefined) {
    throw new SiprecError(
      'offer-streams',
      `${streams.length} streams are not one of the customer and one of the seller`,
    );
  }
  // One key for two streams would let the same keystream encrypt both voices.
  if (plainCrypto(customer.crypto)?.key === plainCrypto(seller.crypto)?.key) {
    throw new SiprecError('offer-crypto', 'both streams have the same key, or no usable one', 'RFC 4568 §6.1');
  }
  return [customer, seller];
}

function mediaLines(stream: ForkStream, { address, direction, profile }: RecordingOffer): string[] {
  const { party, port, rtcpPort } = stream;
  if (!isPort(port) || !isPort(rtcpPort)) {
    throw new SiprecError('offer-port', `the ${party}'s ports ${port} and ${rtcpPort} cannot be offered`);
  }
  if (plainCrypto(stream.crypto) === undefined) {
    throw new SiprecError('offer-crypto', `the ${party}'s crypto is not one AES_CM_128_HMAC_SHA1_80 key of 30 bytes`);
  }
  const { codecs, ptimeMs } = profile;
  return [
    `m=audio ${port} RTP/SAVP ${codecs.map(({ payloadType }) => payloadType).join(' ')}`,
    ...(stream.address === address ? [] : [`c=IN ${typeOfAddress(stream.address)} ${stream.address}`]),
    // RFC 3605: only needed where the RTCP port is not the next one.
    ...(rtcpPort === port + 1 ? [] : [`a=rtcp:${rtcpPort}`]),
    `a=crypto:${stream.crypto}`,
    ...codecs.map(({ payloadType, encoding }) => `a=rtpmap:${payloadType} ${encoding}`),
    ...codecs.flatMap(({ payloadType, fmtp }) => (fmtp === undefined ? [] : [`a=fmtp:${payloadType} ${fmtp}`])),
    `a=ptime:${ptimeMs}`,
    `a=maxptime:${ptimeMs}`,
    `a=${direction}`,
    `a=label:${profile.labels[party]}`,
  ];
}

/** Address type of RFC 4566 §5.7. */
function typeOfAddress(address: string): 'IP4' | 'IP6' {
  const version = isIP(address);
  if (version === 0) throw new SiprecError('offer-address', `${quoted(address)} is not an IP address`, 'RFC 4566 §5.7');
  return version === 4 ? 'IP4' : 'IP6';
}
