// The gate between a recorder's answer and the media: rtpengine sends in clear to whoever answers RTP/AVP, so nothing reaches
// it that has not been checked here against the offer, and what reaches it is written anew from the checked values.
import { isIP } from 'node:net';
import { bodyParts } from '../mime/parse-multipart.js';
import { quoted, SiprecError, type SiprecErrorCode } from '../siprec-error.js';
import { validateCrypto } from './answer-crypto.js';
import { inlineKey } from './crypto-attribute.js';
import { type AnsweredStream, writeRelayAnswer } from './relay-answer.js';
import { isPort, type ReadMedia, type ReadSession, readSessionDescription } from './session-description.js';

export interface RecorderAnswer {
  /** The answer for the media relay, with CRLF line ends: only what was offered and agreed, codecs restricted to it. */
  readonly sdp: string;
  /** One per m-line of the offer, in its order; its label is the offer's. */
  readonly streams: readonly AnsweredStream[];
}

export interface AnswerOptions {
  /** Write an inactive stream as port 0, for relays that ignore a=inactive in an answer. Off by default. */
  readonly inactiveAsPortZero?: boolean;
}

/**
 * Checks the body of a recorder's 2xx (or of an ACK) against the offer.
 * Refused streams (port 0) are an answer; an answer that refuses all of them is not.
 * @param contentType Content-Type of the response: SDP, or a multipart that contains it
 * @throws SiprecError `answer-*`, with the clause; the message names the stream and never a key
 */
export function validateAnswer(
  offerSdp: string,
  contentType: string,
  body: Buffer,
  { inactiveAsPortZero = false }: AnswerOptions = {},
): RecorderAnswer {
  const offer = readSessionDescription(offerSdp);
  if (offer === undefined) throw new SiprecError('offer-streams', 'the offer is not a session description');
  const answer = answerOf(contentType, body);
  if (answer.media.length !== offer.media.length) {
    const text = `the answer has ${answer.media.length} m-lines to ${offer.media.length} of the offer`;
    throw new SiprecError('answer-stream-count', text, 'RFC 3264 §6');
  }
  const keys = new Set(
    offer.media.flatMap(({ crypto }) => crypto.flatMap((each) => inlineKey(each.keyParameters) ?? [])),
  );
  const streams = offer.media.map((offered, index) => validateStream(index, offered, answer.media[index], keys));
  if (!streams.some(({ accepted }) => accepted)) {
    throw new SiprecError('answer-all-refused', 'the recorder refused every stream', 'RFC 7866 §8.3');
  }
  return { sdp: writeRelayAnswer(answer, offer, streams, inactiveAsPortZero), streams };
}

function answerOf(contentType: string, body: Buffer): ReadSession {
  const part = bodyParts(contentType, body).find(({ mediaType }) => mediaType === 'application/sdp');
  if (part === undefined) {
    throw new SiprecError(
      'answer-without-sdp',
      `no SDP in the answer's ${quoted(contentType)} body`,
      'RFC 3261 §13.2.1',
    );
  }
  const answer = readSessionDescription(part.body.toString('utf8'));
  if (answer === undefined)
    throw new SiprecError('answer-not-sdp', 'the answer is not a session description', 'RFC 4566 §5');
  return answer;
}

function validateStream(
  index: number,
  offered: ReadMedia,
  answered: ReadMedia | undefined,
  offeredKeys: ReadonlySet<string>,
): AnsweredStream {
  const stream = `stream ${index + 1} (${offered.label ?? 'without label'})`;
  const refusal = (code: SiprecErrorCode, text: string, clause: string) =>
    new SiprecError(code, `${stream}: ${text}`, clause);
  if (answered === undefined || answered.type !== offered.type) {
    throw refusal('answer-media-type', `the answer is not ${offered.type}`, 'RFC 3264 §6');
  }
  const labels = {
    label: offered.label ?? '',
    ...(answered.label === undefined ? {} : { answeredLabel: answered.label }),
  };
  if (answered.port === 0) return { ...labels, accepted: false };
  // The feedback profile is the same encryption; everything else is in clear or needs keys that were not offered.
  if (answered.protocol !== offered.protocol && answered.protocol !== 'RTP/SAVPF') {
    throw refusal('answer-not-encrypted', `answered in ${quoted(answered.protocol)}`, 'RFC 3264 §6, RFC 7866 §12.2');
  }
  const cryptoTag = validateCrypto(stream, offered.crypto, answered.crypto, offeredKeys);
  if (!isPort(answered.port)) throw refusal('answer-port', 'the port is not one', 'RFC 4566 §5.14');
  if (isIP(answered.address) === 0) {
    throw refusal('answer-address', `${quoted(answered.address)} is not an IP address`, 'RFC 4566 §5.7');
  }
  if (answered.direction === 'sendonly') {
    throw refusal('answer-direction', 'the recorder wants to send', 'RFC 3264 §6.1, RFC 7866 §7.2');
  }
  const payloadTypes = agreedPayloadTypes(offered, answered);
  if (!payloadTypes.some((payloadType) => isVoice(offered, payloadType))) {
    const text = `no offered codec among ${quoted(answered.payloadTypes.join(' '))}`;
    throw refusal('answer-codec', text, 'RFC 3264 §6.1');
  }
  return {
    ...labels,
    accepted: true,
    direction: isHeld(offered, answered) ? 'inactive' : 'recvonly',
    payloadTypes,
    address: answered.address,
    port: answered.port,
    rtcpPort: answered.rtcpPort ?? answered.port + 1,
    cryptoTag,
  };
}

/**
 * The answer's formats in its order, as far as they were offered and mean the same. Further ones are allowed
 * (RFC 3264 §6.1) and left out: the relay must send nothing that was not offered.
 */
function agreedPayloadTypes(offered: ReadMedia, answered: ReadMedia): number[] {
  return answered.payloadTypes.filter((payloadType) => {
    const encoding = answered.rtpmap.get(payloadType);
    // RFC 3551 §6: only a static payload type may do without a=rtpmap.
    const same =
      encoding === undefined
        ? payloadType < 96
        : encoding.toLowerCase() === offered.rtpmap.get(payloadType)?.toLowerCase();
    return same && offered.payloadTypes.includes(payloadType);
  });
}

function isVoice(offered: ReadMedia, payloadType: number): boolean {
  return !/^telephone-event\//i.test(offered.rtpmap.get(payloadType) ?? '');
}

/** A missing direction (sendrecv) is meant as recvonly by recorders that never send; c=0.0.0.0 is RFC 2543's hold. */
function isHeld(offered: ReadMedia, answered: ReadMedia): boolean {
  return (
    offered.direction === 'inactive' ||
    answered.direction === 'inactive' ||
    answered.address === '0.0.0.0' ||
    answered.address === '::'
  );
}
