// The descriptions that one party is given of the call's audio: in its own order of media lines, under an origin of our own whose version
// counts the changes, whoever the audio comes from (RFC 3264 §6, §8). Nothing of the other party shows in it but the stream.
import { randomInt } from 'node:crypto';
import { type Layout, sectionsOf } from './session-description.js';

const keptInSession = /^b=|^a=(sendrecv|sendonly|recvonly|inactive)$/;

export class PartyDescription {
  readonly #sessionId = randomInt(1, 2 ** 47);
  #version = 0;
  #last = '';
  #layout: Layout = [undefined];

  /** The party has offered these media lines: every description that it is given from now on has them. */
  offers(layout: Layout): void {
    this.#layout = layout;
  }

  /** @param sdp the engine's: the audio alone. */
  describe(sdp: string): string {
    const [head = [], audio = []] = sectionsOf(sdp.split(/\r?\n/).filter((line) => line !== ''));
    const connection = [...audio, ...head].find((line) => line.startsWith('c=')) ?? 'c=IN IP4 0.0.0.0';
    const media = audio.filter((line) => !line.startsWith('c='));
    const content = [
      's=-',
      // In the session part, because a line that refuses a medium needs one, too (RFC 4566 §5.7).
      connection,
      ...head.filter((line) => line.startsWith('b=')),
      't=0 0',
      ...head.filter((line) => keptInSession.test(line) && line.startsWith('a=')),
      ...this.#layout.flatMap((refusal) => (refusal === undefined ? media : [refusal])),
    ].join('\r\n');
    if (content !== this.#last) this.#version += 1;
    this.#last = content;
    const address = connection.slice('c='.length).split('/')[0];
    return `v=0\r\no=- ${this.#sessionId} ${this.#version} ${address}\r\n${content}\r\n`;
  }
}
