/** Recorders whose SDP answer is not what a good recorder says. */
import type { AnswerStream } from '../recording-answer.js';
import type { Behaviour } from './behaviour.js';

function eachStream(change: (stream: AnswerStream, index: number) => AnswerStream): Behaviour {
  return {
    // A refused stream has nothing to change.
    changeStreams: (streams) => streams.map((stream, index) => (stream.port === 0 ? stream : change(stream, index))),
  };
}

/** Answers in clear, without keys. Whoever sends media after this sends it in plaintext. */
export function answerInPlainRtp(): Behaviour {
  return eachStream((stream) => ({ ...stream, protocol: 'RTP/AVP', crypto: undefined }));
}

/** Answers RTP/SAVP without a=crypto (RFC 4568 §5.1.2: such a stream must not be used). */
export function answerWithoutCrypto(): Behaviour {
  return eachStream((stream) => ({ ...stream, crypto: undefined }));
}

/** Answers with a suite that was not offered (RFC 4568 §5.1.3 forbids it). */
export function answerWithOtherSuite(suite = 'AES_CM_128_HMAC_SHA1_32'): Behaviour {
  return eachStream((stream) => ({ ...stream, crypto: stream.crypto && { ...stream.crypto, suite } }));
}

/** Answers every stream inactive: the recorder waits (RFC 7866 §7.2). */
export function answerInactive(): Behaviour {
  return eachStream((stream) => ({ ...stream, direction: 'inactive' }));
}

/** Gives each stream another label than the offer's. */
export function renameLabels(): Behaviour {
  return eachStream((stream, index) => ({ ...stream, label: `recorder-${index + 1}` }));
}

/** Accepts of the offered payload types this one alone. */
export function answerOneCodec(payloadType = 8): Behaviour {
  return eachStream((stream) => ({
    ...stream,
    payloadTypes: stream.payloadTypes.filter((offered) => offered === payloadType),
  }));
}

/** Answers the first m-line alone (RFC 3264 §6: an answer has as many as the offer). */
export function answerOneStream(): Behaviour {
  return { changeStreams: (streams) => streams.slice(0, 1) };
}

/** Refuses one stream by port 0; `number` counts from 1. */
export function refuseOneStream(number = 2): Behaviour {
  return eachStream((stream, index) => (index + 1 === number ? { ...stream, port: 0, crypto: undefined } : stream));
}

/** Puts the SDP answer into a multipart body, as some recorders do. */
export function answerInMultipart(): Behaviour {
  return {
    changeBody: ({ contentType, body }) => {
      const boundary = 'recorder=answer';
      const head = `--${boundary}\r\nContent-Type: ${contentType}\r\n\r\n`;
      const whole = Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--\r\n`)]);
      return { contentType: `multipart/mixed;boundary="${boundary}"`, body: whole };
    },
  };
}

/** Answers with a 200 that leaves in the same millisecond as the INVITE came. */
export function answerInstantly(): Behaviour {
  return { instant: true };
}
