// Which codec a fork's voices must be turned into, so that a recorder gets no payload type that it did not negotiate: the
// engine passes on whatever a party sends when the recorder's answer and the party have no codec in common. Pure.
import { SidestreamError } from '@sidestream/service';
import type { ForkOffer, VoiceCodec } from './ports.js';

/** RFC 3551 §6; what recorders are offered. */
const payloadTypeOf = { PCMU: 0, PCMA: 8 } as const satisfies Record<VoiceCodec, number>;

/**
 * Before the recorder is asked: it will be offered PCMU and PCMA, so each party must have one of them.
 *
 * @returns undefined if the voices can stay as they are.
 */
export function codecForOffer(streams: ForkOffer['streams']): VoiceCodec | undefined {
  const fits = streams.every(({ payloadTypes }) => payloadTypes.some((type) => type === 0 || type === 8));
  return fits ? undefined : 'PCMU';
}

/**
 * When the recorder has answered, perhaps with fewer codecs than it was offered.
 *
 * @param offered the payload types that each stream may carry, as the engine said.
 * @param answer one media line per stream, in the same order.
 * @returns undefined if each stream that the recorder takes can stay as it is.
 * @throws SidestreamError recorder-answer-unusable if no one codec suits all its streams.
 */
export function codecForAnswer(offered: readonly (readonly number[])[], answer: string): VoiceCodec | undefined {
  const answered = answer.match(/^m=.*$/gm)?.map(takenTypes) ?? [];
  const fits = answered.every((types, index) => types?.some((type) => offered[index]?.includes(type)) ?? true);
  if (fits) return undefined;
  for (const codec of ['PCMU', 'PCMA'] as const)
    if (answered.every((types) => types?.includes(payloadTypeOf[codec]) ?? true)) return codec;
  throw new SidestreamError('recorder-answer-unusable', "the recorder's answer is refused: no codec suits its streams");
}

/** The payload types of a media line; undefined if it takes no media. */
function takenTypes(line: string): number[] | undefined {
  const [, port, , ...formats] = line.trim().split(' ');
  return port === '0' ? undefined : formats.map(Number);
}
