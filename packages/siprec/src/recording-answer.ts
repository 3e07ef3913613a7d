// Our answer to an offer of the recorder. A recorder may pause, resume and move its streams; it adds none, and what we send was said
// in our own offer, so the answer is that offer cut down to what the recorder wants now (RFC 3264 §6, RFC 7866 §7.2).
import type { AnsweredStream } from './sdp/relay-answer.js';

export interface RecordingAnswer {
  /** Our description as it was written by `writeRecordingOffer`, with the `o=` version that the answer shall have. */
  readonly description: string;
  /** What the recorder wants, one per m-line of the description, as `validateAnswer` found it. */
  readonly streams: readonly AnsweredStream[];
}

/**
 * The answer, with CRLF line ends: a stream that the recorder refuses has port 0, one that waits is inactive, any other is sendonly
 * (RFC 3264 §6.1); formats are those of the recorder's offer, in its order.
 */
export function writeRecordingAnswer({ description, streams }: RecordingAnswer): string {
  const [head = '', ...media] = description.split(/(?=^m=)/m);
  const sections = media.map((section, index) => answered(section.split('\r\n').slice(0, -1), streams[index]));
  return (
    head +
    sections
      .flat()
      .map((line) => `${line}\r\n`)
      .join('')
  );
}

function answered([media = '', ...attributes]: string[], stream: AnsweredStream | undefined): string[] {
  const [kind = '', port = '', protocol = '', ...formats] = media.split(' ');
  const label = attributes.filter((line) => line.startsWith('a=label:'));
  // RFC 3264 §6: the m-line of a refused stream stays, with any of its formats, and nothing else of it counts.
  if (stream === undefined || !stream.accepted) return [[kind, 0, protocol, ...formats].join(' '), ...label];
  const kept = attributes.filter((line) => {
    const format = /^a=(?:rtpmap|fmtp):(\d+) /.exec(line)?.[1];
    return format === undefined || stream.payloadTypes.includes(Number(format));
  });
  const direction = stream.direction === 'inactive' ? 'a=inactive' : 'a=sendonly';
  return [
    [kind, port, protocol, ...stream.payloadTypes].join(' '),
    ...kept.map((line) => (/^a=(?:sendonly|inactive)$/.test(line) ? direction : line)),
  ];
}
