// `codecs:` and `srtp:` of a trunk: what the media of its calls may be.
import { z } from 'zod';

/** Names as in a=rtpmap (RFC 3551 and the codecs' own). */
const codecNames = [
  ...['PCMU', 'PCMA', 'G722', 'opus', 'G729', 'G723', 'GSM', 'iLBC', 'speex', 'AMR', 'AMR-WB', 'EVS'],
  ...['telephone-event', 'CN'],
] as const;

export const codecsSchema = z
  .array(z.enum(codecNames))
  .default([])
  .refine((list) => new Set(list).size === list.length, 'names a codec twice')
  .refine((list) => list.length === 0 || list.some((codec) => codec !== 'telephone-event' && codec !== 'CN'), {
    message: 'has no codec for a voice',
  })
  .describe('offered to it in this order, and taken from it; empty: all. telephone-event is DTMF (RFC 4733)');

export const srtpSchema = z
  .enum(['off', 'offer', 'require'])
  .default('off')
  .describe(
    'what it is offered: plain RTP, both (RFC 8643), SRTP alone; its own offers with SDES keys are understood always',
  );
