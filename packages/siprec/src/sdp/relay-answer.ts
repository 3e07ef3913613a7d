// The recorder's answer as the media relay gets it: written anew from checked values, never the recorder's own lines.
import { isIPv6 } from 'node:net';
import type { ReadMedia, ReadSession } from './session-description.js';

interface StreamLabels {
  /** The offer's label of this m-line. */
  readonly label: string;
  /** The answer's, when it has one: for information, because the order of the m-lines is what counts. */
  readonly answeredLabel?: string;
}

export interface AcceptedStream extends StreamLabels {
  readonly accepted: true;
  /** `inactive` = the recorder waits (RFC 7866 §7.2). */
  readonly direction: 'recvonly' | 'inactive';
  readonly payloadTypes: readonly number[];
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly cryptoTag: number;
}

export interface RefusedStream extends StreamLabels {
  readonly accepted: false;
}

export type AnsweredStream = AcceptedStream | RefusedStream;

/** The SDP of {@link AnsweredStream}s, which stand in the order of both `answer.media` and `offer.media`. */
export function writeRelayAnswer(
  answer: ReadSession,
  offer: ReadSession,
  streams: readonly AnsweredStream[],
  inactiveAsPortZero: boolean,
): string {
  const lines = streams.flatMap((stream, index) => {
    const offered = offer.media[index];
    const answered = answer.media[index];
    if (offered === undefined || answered === undefined) return [];
    const disabled = !stream.accepted || (inactiveAsPortZero && stream.direction === 'inactive');
    return disabled ? disabledLines(offered) : streamLines(stream, offered, answered);
  });
  const origin = `o=- ${answer.sessionId} ${answer.sessionVersion} IN IP4 0.0.0.0`;
  // RFC 4566 §5.7: each line needs an address, a refused one too, and the relay writes refused lines anew without theirs.
  const head = ['v=0', origin, 's=-', 'c=IN IP4 0.0.0.0', 't=0 0'];
  return `${[...head, ...lines].join('\r\n')}\r\n`;
}

function disabledLines(offered: ReadMedia): string[] {
  return [`m=${offered.type} 0 ${offered.protocol} ${offered.payloadTypes.join(' ')}`];
}

function streamLines(stream: AcceptedStream, offered: ReadMedia, answered: ReadMedia): string[] {
  const { address, port, rtcpPort, payloadTypes } = stream;
  return [
    `m=${offered.type} ${port} ${offered.protocol} ${payloadTypes.join(' ')}`,
    `c=IN ${isIPv6(address) ? 'IP6' : 'IP4'} ${address}`,
    ...payloadTypes.map((payloadType) => `a=rtpmap:${payloadType} ${offered.rtpmap.get(payloadType) ?? ''}`),
    `a=${stream.direction}`,
    ...(rtcpPort === port + 1 ? [] : [`a=rtcp:${rtcpPort}`]),
    ...answered.crypto.map(({ tag, suite, keyParameters }) => `a=crypto:${tag} ${suite} ${keyParameters}`),
    ...(stream.label === '' ? [] : [`a=label:${stream.label}`]),
  ];
}
