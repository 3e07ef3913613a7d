/** Cuts speech into payloads of one packet time, once or in a loop. */
import { type G711Codec, SILENCE } from './g711.js';
import { PACKET_SAMPLES } from './paced-sender.js';

/**
 * Returns a function that gives the next 160 bytes: the last piece is filled with silence, then the speech begins again
 * (`loop`) or undefined is returned for ever. Empty speech loops as silence.
 */
export function speechSource(speech: Buffer, codec: G711Codec, options: { loop: boolean }): () => Buffer | undefined {
  const pieces: Buffer[] = [];
  for (let at = 0; at < speech.length; at += PACKET_SAMPLES) {
    const piece = Buffer.alloc(PACKET_SAMPLES, SILENCE[codec]);
    speech.copy(piece, 0, at, at + PACKET_SAMPLES);
    pieces.push(piece);
  }
  if (pieces.length === 0 && options.loop) pieces.push(Buffer.alloc(PACKET_SAMPLES, SILENCE[codec]));
  let index = 0;
  return () => {
    if (options.loop && index === pieces.length) index = 0;
    const piece = pieces[index];
    index = Math.min(index + 1, pieces.length);
    return piece;
  };
}
