/** The recorder's SDP answer (RFC 3264 §6, RFC 7866 §7.2): as data that a misbehaviour may change, then as text. */
import { addressType, type MediaDirection } from '../rtp/media-address.js';
import { formatCrypto } from '../rtp/sdes.js';
import type { OfferedStream } from './recording-offer.js';

/** One m-line of the answer; port 0 refuses the stream. */
export interface AnswerStream {
  kind: string;
  port: number;
  protocol: string;
  payloadTypes: number[];
  rtpmaps: Map<number, string>;
  direction: MediaDirection;
  label: string | undefined;
  /** Tag of the accepted offer line and the recorder's own key; `suite` where a misbehaviour names another one. */
  crypto: { tag: number; master: Buffer; suite?: string } | undefined;
}

/** The answer's body; a misbehaviour may wrap it. */
export interface AnswerBody {
  contentType: string;
  body: Buffer;
}

/** Answers an offered stream with what the recorder takes of it. */
export function acceptStream(
  offered: OfferedStream,
  port: number,
  crypto: { tag: number; master: Buffer },
  types: number[],
): AnswerStream {
  return {
    kind: offered.kind,
    port,
    protocol: offered.protocol,
    payloadTypes: types,
    rtpmaps: offered.rtpmaps,
    // RFC 3264 §6.1: an offer of inactive can only be answered with inactive.
    direction: offered.direction === 'inactive' ? 'inactive' : 'recvonly',
    label: offered.label,
    crypto,
  };
}

/** Refuses an offered stream (RFC 3264 §6: port zero). */
export function refuseStream(offered: OfferedStream): AnswerStream {
  const { kind, protocol, payloadTypes, rtpmaps, label } = offered;
  return {
    kind,
    port: 0,
    protocol,
    payloadTypes: payloadTypes.slice(0, 1),
    rtpmaps,
    direction: 'inactive',
    label,
    crypto: undefined,
  };
}

function streamLines(stream: AnswerStream): string[] {
  const types = stream.payloadTypes.length === 0 ? [0] : stream.payloadTypes;
  const head = `m=${stream.kind} ${stream.port} ${stream.protocol} ${types.join(' ')}`;
  if (stream.port === 0) return [head];
  return [
    head,
    ...types.flatMap((type) => {
      const map = stream.rtpmaps.get(type);
      return map === undefined ? [] : [`a=rtpmap:${type} ${map}`];
    }),
    ...types
      .filter((type) => /^telephone-event\//i.test(stream.rtpmaps.get(type) ?? ''))
      .map((type) => `a=fmtp:${type} 0-16`),
    'a=ptime:20',
    ...(stream.crypto === undefined ? [] : [`a=crypto:${formatCrypto(stream.crypto)}`]),
    ...(stream.label === undefined ? [] : [`a=label:${stream.label}`]),
    `a=${stream.direction}`,
  ];
}

/** The answer as text. `version` grows with each answer of a session (RFC 3264 §8). */
export function writeAnswer(
  address: string,
  sessionId: number,
  version: number,
  streams: readonly AnswerStream[],
): string {
  const type = addressType(address);
  const lines = [
    'v=0',
    `o=recorder ${sessionId} ${version} IN ${type} ${address}`,
    's=-',
    `c=IN ${type} ${address}`,
    't=0 0',
    ...streams.flatMap(streamLines),
  ];
  return `${lines.join('\r\n')}\r\n`;
}
