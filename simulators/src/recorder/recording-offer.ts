/** A recording session's SDP offer as the recorder reads it: forgiving in form, so that the checks can name what is wrong. */
import { parse } from 'sdp-transform';
import {
  type MediaAddress,
  type MediaDirection,
  mediaAddress,
  mediaDirection,
  payloadTypes,
} from '../rtp/media-address.js';
import { type CryptoAttribute, readCrypto } from '../rtp/sdes.js';

/** More m-lines than any recording has; the rest is not looked at. */
const MAX_STREAMS = 16;

/** One m-line of the offer. */
export interface OfferedStream {
  index: number;
  kind: string;
  protocol: string;
  /** Undefined when there is no connection data; `port` 0 is a removed stream. */
  address: MediaAddress | undefined;
  label: string | undefined;
  direction: MediaDirection;
  payloadTypes: number[];
  /** Encoding name and rate by payload type, as `PCMU/8000`. */
  rtpmaps: Map<number, string>;
  crypto: CryptoAttribute[];
  rtcpMux: boolean;
  ptime: number | undefined;
}

export interface RecordingOffer {
  sessionId: string;
  version: number;
  streams: OfferedStream[];
}

/** Undefined when the text is no session description with at least one m-line. */
export function readOffer(sdp: string): RecordingOffer | undefined {
  if (!sdp.startsWith('v=0')) return undefined;
  const session = parse(sdp);
  if (session.media.length === 0) return undefined;
  const streams = session.media.slice(0, MAX_STREAMS).map((media, index) => ({
    index,
    kind: media.type,
    protocol: media.protocol,
    address: mediaAddress(session, media),
    // The parser turns what looks like a number into one.
    label: media.label === undefined ? undefined : String(media.label),
    direction: mediaDirection(session, media),
    payloadTypes: payloadTypes(media),
    rtpmaps: new Map(media.rtp.map(({ payload, codec, rate }) => [payload, `${codec}/${rate ?? ''}`])),
    crypto: (media.crypto ?? []).map(({ id, suite, config }) => readCrypto(id, suite, config)),
    rtcpMux: media.rtcpMux !== undefined,
    ptime: media.ptime === undefined ? undefined : Number(media.ptime),
  }));
  return {
    sessionId: String(session.origin?.sessionId ?? ''),
    version: Number(session.origin?.sessionVersion ?? 0),
    streams,
  };
}
