/** A party's SDP: one audio stream of G.711 and telephone events in RTP/AVP, or RTP/SAVP with SDES keys (RFC 3264, RFC 4568). Text in, data out, and back. */
import { parse } from 'sdp-transform';
import { type G711Codec, PAYLOAD_TYPES } from '../rtp/g711.js';
import { addressType, type MediaDirection, mediaAddress, mediaDirection, payloadTypes } from '../rtp/media-address.js';
import { formatCrypto, readCrypto } from '../rtp/sdes.js';
import type { RecordPreference } from './party-options.js';

const TELEPHONE_EVENT = 101;

/** What the other side said: where it wants media, which law, and who may send. */
export interface RemoteMedia {
  address: string;
  port: number;
  rtcpAddress: string;
  rtcpPort: number;
  /** The laws it takes, in its order of preference. */
  codecs: G711Codec[];
  direction: MediaDirection;
  /** What it sends with; undefined: plain RTP. */
  crypto: { tag: number; master: Buffer } | undefined;
}

/** Our side of a session. */
export interface LocalMedia {
  address: string;
  port: number;
  codecs: readonly G711Codec[];
  direction: MediaDirection;
  recordPreference?: RecordPreference | undefined;
  /** What we send with; undefined: plain RTP. */
  crypto?: { tag: number; master: Buffer } | undefined;
  sessionId: number;
  /** Grows with each changed description (RFC 3264 §8). */
  version: number;
}

/** Writes an offer or answer. */
export function writePartySdp(local: LocalMedia): string {
  const type = addressType(local.address);
  const types = [...local.codecs.map((codec) => PAYLOAD_TYPES[codec]), TELEPHONE_EVENT];
  const lines = [
    'v=0',
    `o=party ${local.sessionId} ${local.version} IN ${type} ${local.address}`,
    's=-',
    `c=IN ${type} ${local.address}`,
    't=0 0',
    `m=audio ${local.port} ${local.crypto === undefined ? 'RTP/AVP' : 'RTP/SAVP'} ${types.join(' ')}`,
    ...(local.crypto === undefined ? [] : [`a=crypto:${formatCrypto(local.crypto)}`]),
    ...local.codecs.map((codec) => `a=rtpmap:${PAYLOAD_TYPES[codec]} ${codec}/8000`),
    `a=rtpmap:${TELEPHONE_EVENT} telephone-event/8000`,
    `a=fmtp:${TELEPHONE_EVENT} 0-16`,
    'a=ptime:20',
    `a=${local.direction}`,
    ...(local.recordPreference === undefined ? [] : [`a=recordpref:${local.recordPreference}`]),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** Reads the first usable audio stream; undefined when there is none that a G.711 party can take, with keys where it wants them. */
export function readPartySdp(sdp: string, secure = false): RemoteMedia | undefined {
  if (!sdp.startsWith('v=0')) return undefined;
  const session = parse(sdp);
  for (const media of session.media) {
    const address = mediaAddress(session, media);
    if (
      media.type !== 'audio' ||
      media.protocol !== (secure ? 'RTP/SAVP' : 'RTP/AVP') ||
      address === undefined ||
      address.port === 0
    )
      continue;
    const codecs = payloadTypes(media).flatMap((type): G711Codec[] =>
      type === 0 ? ['PCMU'] : type === 8 ? ['PCMA'] : [],
    );
    const crypto = secure ? usableCrypto(media.crypto ?? []) : undefined;
    if (codecs.length > 0 && (crypto !== undefined || !secure)) {
      return {
        ...address,
        codecs,
        direction: mediaDirection(session, media),
        crypto,
      };
    }
  }
  return undefined;
}

function usableCrypto(
  offered: readonly { id: number; suite: string; config: string }[],
): { tag: number; master: Buffer } | undefined {
  for (const { id, suite, config } of offered) {
    const { tag, master } = readCrypto(id, suite, config);
    if (master !== undefined) return { tag, master };
  }
  return undefined;
}

/** The direction that answers an offered one, as far as we want it (RFC 3264 §6.1). */
export function answerDirection(offered: MediaDirection, wanted: MediaDirection): MediaDirection {
  const send = (offered === 'sendrecv' || offered === 'recvonly') && (wanted === 'sendrecv' || wanted === 'sendonly');
  const receive =
    (offered === 'sendrecv' || offered === 'sendonly') && (wanted === 'sendrecv' || wanted === 'recvonly');
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}
